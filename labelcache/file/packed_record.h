// SPDX-License-Identifier: Apache-2.0
// A top-k map as stored in the file: the same map as its record (labelcache/file/record.h), packed
// for fast reading. Value codes increase with the values, so each rank is stored as its difference
// to the rank before; classes are numbered by first appearance, so the first ranks need few bits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "labelcache/file/bit_packing.h"
#include "labelcache/file/record.h"

namespace remixer::labelcache {

// Appends a packed top-k record (from encode_record, of at most 65536 cells) to `bytes`.
void pack_record(std::string_view record, const MapShape& shape, std::string& bytes);

// An unpacked record, by rank: element r * stride + cell. One object can be reused for many
// records, with its memory.
struct UnpackedRecord {
  int height = 0, width = 0;
  data::Cover cover;              // as in LabelMap
  size_t stride = 0;              // in_groups(height * width)
  std::vector<uint16_t> classes;  // the classes in the map, in the order of first appearance
  std::vector<uint16_t> halves;   // float16 values
  std::vector<uint16_t> codes;    // indices into `classes`
};

// Throws InputError if the bytes are not one whole packed record of this shape. kReadSlack bytes
// after them must be readable.
void unpack_record(std::string_view bytes, const MapShape& shape, UnpackedRecord& record);

// Whether all logits of the record are finite.
bool all_finite(const UnpackedRecord& record, const MapShape& shape);

// Converts an unpacked record to a map.
data::LabelMap to_map(const UnpackedRecord& record, const MapShape& shape);

// Converts finite float16 values to float32, exactly.
void halves_to_floats(const uint16_t* halves, size_t count, float* out);

}  // namespace remixer::labelcache
