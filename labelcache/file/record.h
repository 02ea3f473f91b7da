// SPDX-License-Identifier: Apache-2.0
// Serialises one label map, for sending between ranks and for hashing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/augment/patch_labels.h"

namespace remixer::labelcache {

// Limits of a packed map: anything larger is invalid, and would need unlimited memory.
constexpr size_t kMostPackedCells = size_t{1} << 16, kMostPackedLabels = size_t{1} << 24;

// Properties shared by all maps of a file.
struct MapShape {
  int channels = 1;
  int top_k = 0;  // 0: dense
  bool operator==(const MapShape&) const = default;
};

// Encodes `map`: u16 height, u16 width, then for a dense map one byte per value, round(255 · value)
// with value clamped to [0, 1]; for a top-k map all values as float16, then all indices as u16.
// Little-endian. If a map covers only a part of its image, the height's highest bit is set, and
// left, top, right, bottom of that part follow the width as float32. Throws Error if a value is not
// finite or does not fit.
std::string encode_record(const data::LabelMap& map, const MapShape& shape);

// Decodes a record. Values are as stored: bytes / 255, or float16 exactly.
// Throws InputError if the record's size or a class index is invalid.
data::LabelMap decode_record(std::string_view record, const MapShape& shape);

// Size of the record at the start of `bytes`. Throws InputError if it does not fit.
size_t record_size(std::string_view bytes, const MapShape& shape);

// The map of an image without information: no object, or all classes equal. One cell.
data::LabelMap empty_map(const MapShape& shape);

// The start of a record.
struct RecordHeader {
  int height = 0, width = 0;
  data::Cover cover;
  size_t bytes = 0;  // of this header
  size_t cells() const { return static_cast<size_t>(height) * static_cast<size_t>(width); }
};
// Throws InputError if the bytes end too early or the cover is invalid.
RecordHeader read_record_header(std::string_view bytes);

}  // namespace remixer::labelcache
