// SPDX-License-Identifier: Apache-2.0
// A top-k map in the file: the same map as its record (labelcache/file/record.h), packed for quick
// reading. Value codes grow as values do, so a cell's ranks are stored as what each loses to the
// one before; classes are numbered by their first appearance, so the first ranks need few bits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "labelcache/file/bit_packing.h"
#include "labelcache/file/record.h"

namespace remixer::labelcache {

// Appends a top-k record (as encode_record makes it, of at most 65536 cells), packed, to `bytes`.
void pack_record(std::string_view record, const MapShape& shape, std::string& bytes);

// A packed record, unpacked by rank: number r * stride + cell. One object serves many records, its
// memory with them.
struct UnpackedRecord {
  int height = 0, width = 0;
  data::Cover cover;              // as LabelMap's
  size_t stride = 0;              // in_groups(height * width)
  std::vector<uint16_t> classes;  // those that the map names, in the order of first appearance
  std::vector<uint16_t> halves;   // float16 values
  std::vector<uint16_t> codes;    // places in `classes`
};

// Throws InputError where the bytes are not one whole packed record of this shape. kReadSlack bytes
// after them must be readable.
void unpack_record(std::string_view bytes, const MapShape& shape, UnpackedRecord& record);

// Whether all of its logits are finite.
bool all_finite(const UnpackedRecord& record, const MapShape& shape);

// The map of an unpacked record.
data::LabelMap to_map(const UnpackedRecord& record, const MapShape& shape);

// Float32 of each float16 that is finite, exactly.
void halves_to_floats(const uint16_t* halves, size_t count, float* out);

}  // namespace remixer::labelcache
