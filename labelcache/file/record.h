// SPDX-License-Identifier: Apache-2.0
// Serialises one label map, for sending between ranks and hashing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/augment/patch_labels.h"

namespace remixer::labelcache {

// What a packed map of a file may hold: more is no map, and would take memory without end.
constexpr size_t kMostPackedCells = size_t{1} << 16, kMostPackedLabels = size_t{1} << 24;

// What every map of a file has in common.
struct MapShape {
  int channels = 1;
  int top_k = 0;  // 0: dense
  bool operator==(const MapShape&) const = default;
};

// `map` as bytes: u16 height, u16 width, then for a dense map one byte a value, round(255 · value)
// with value clamped to [0, 1]; for a top-k map all values as float16, then all indices as u16.
// Little-endian. A map that covers a part of its image has the height's highest bit set, and left,
// top, right, bottom of that part as float32 after the width. Throws Error where a value is not
// finite or does not fit.
std::string encode_record(const data::LabelMap& map, const MapShape& shape);

// The map of a record. Values are what was stored: bytes / 255, or float16 exactly.
// Throws InputError where the record's size or a class index is impossible.
data::LabelMap decode_record(std::string_view record, const MapShape& shape);

// Bytes of the record that `bytes` begins with. Throws InputError where it does not fit in.
size_t record_size(std::string_view bytes, const MapShape& shape);

// What stands where nothing is known: no object, or all classes alike. One cell.
data::LabelMap empty_map(const MapShape& shape);

// What a record begins with.
struct RecordHeader {
  int height = 0, width = 0;
  data::Cover cover;
  size_t bytes = 0;  // of this header
  size_t cells() const { return static_cast<size_t>(height) * static_cast<size_t>(width); }
};
// Throws InputError where the bytes end before it does or the cover is impossible.
RecordHeader read_record_header(std::string_view bytes);

}  // namespace remixer::labelcache
