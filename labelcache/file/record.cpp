// SPDX-License-Identifier: Apache-2.0
#include "labelcache/file/record.h"

#include <c10/util/Half.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "labelcache/file/bytes.h"

namespace remixer::labelcache {
namespace {

constexpr size_t kSizeBytes = 4, kCoverBytes = 16;
constexpr uint16_t kCovered = 0x8000;  // flag in the height: a cover follows
constexpr int kLargestSide = kCovered - 1;

size_t values_of(size_t cells, const MapShape& shape) {
  return cells * static_cast<size_t>(shape.top_k > 0 ? shape.top_k : shape.channels);
}

uint8_t quantised(float value) {
  if (!std::isfinite(value)) fail("a labeler gave a label that is not finite");
  return static_cast<uint8_t>(std::lround(255 * std::clamp(value, 0.0f, 1.0f)));
}

uint16_t half_bits(float value) {
  const c10::Half half(value);
  if (!std::isfinite(static_cast<float>(half))) {
    fail("a labeler gave a logit that float16 cannot hold: {}", value);
  }
  return half.x;
}

bool possible(const data::Cover& cover) {
  // A map may extend beyond its image (if that is a crop), but only to a limit, and it must overlap
  // the image.
  constexpr float kFarthest = 1000;
  const auto axis = [](float low, float high) {
    return low >= -kFarthest && high <= kFarthest && low < high && low < 1 && high > 0;
  };
  return axis(cover.left, cover.right) && axis(cover.top, cover.bottom);
}

}  // namespace

std::string encode_record(const data::LabelMap& map, const MapShape& shape) {
  assert(map.channels == shape.channels && map.top_k == shape.top_k);
  if (map.height < 1 || map.width < 1 || map.height > kLargestSide || map.width > kLargestSide) {
    fail("a label map of {} × {} cells cannot be stored", map.height, map.width);
  }
  const size_t cells = static_cast<size_t>(map.height) * static_cast<size_t>(map.width);
  assert(map.values.size() == values_of(cells, shape) && possible(map.cover));
  if (shape.top_k > 0 && (cells > kMostPackedCells || map.values.size() > kMostPackedLabels)) {
    fail("a label map of {} × {} cells with {} classes each is too large to be stored", map.height,
         map.width, shape.top_k);
  }
  const bool covered = map.cover != data::Cover();
  std::string bytes;
  append(bytes, static_cast<uint16_t>(map.height | (covered ? kCovered : 0)));
  append(bytes, static_cast<uint16_t>(map.width));
  if (covered) {
    for (const float edge : {map.cover.left, map.cover.top, map.cover.right, map.cover.bottom}) {
      append(bytes, edge);
    }
  }
  if (shape.top_k == 0) {
    for (const float value : map.values) append(bytes, quantised(value));
    return bytes;
  }
  assert(map.indices.size() == map.values.size());
  for (const float value : map.values) append(bytes, half_bits(value));
  for (const uint16_t index : map.indices) append(bytes, index);
  return bytes;
}

data::LabelMap empty_map(const MapShape& shape) {
  data::LabelMap map;
  map.height = map.width = 1;
  map.channels = shape.channels;
  map.top_k = shape.top_k;
  map.values.assign(static_cast<size_t>(shape.top_k > 0 ? shape.top_k : shape.channels), 0.0f);
  for (int r = 0; r < shape.top_k; ++r) map.indices.push_back(static_cast<uint16_t>(r));
  return map;
}

RecordHeader read_record_header(std::string_view bytes) {
  if (bytes.size() < kSizeBytes) fail_input("a label record is cut off");
  RecordHeader header;
  const auto height = load<uint16_t>(bytes, 0);
  header.height = height & ~kCovered;
  header.width = load<uint16_t>(bytes, 2);
  header.bytes = kSizeBytes;
  if ((height & kCovered) == 0) return header;
  header.bytes += kCoverBytes;
  if (bytes.size() < header.bytes) fail_input("a label record is cut off");
  header.cover = {load<float>(bytes, 4), load<float>(bytes, 8), load<float>(bytes, 12),
                  load<float>(bytes, 16)};
  if (!possible(header.cover)) fail_input("a label record covers an impossible part of its image");
  return header;
}

size_t record_size(std::string_view bytes, const MapShape& shape) {
  const RecordHeader header = read_record_header(bytes);
  const size_t count = values_of(header.cells(), shape);
  const size_t size = header.bytes + count * (shape.top_k > 0 ? 4 : 1);
  if (count == 0 || size > bytes.size()) fail_input("a label record has an impossible size");
  return size;
}

data::LabelMap decode_record(std::string_view record, const MapShape& shape) {
  if (record_size(record, shape) != record.size())
    fail_input("a label record has an impossible size");
  const RecordHeader header = read_record_header(record);
  data::LabelMap map;
  map.height = header.height;
  map.width = header.width;
  map.cover = header.cover;
  map.channels = shape.channels;
  map.top_k = shape.top_k;
  const size_t count = values_of(header.cells(), shape);
  map.values.resize(count);
  if (shape.top_k == 0) {
    for (size_t i = 0; i < count; ++i) {
      map.values[i] = static_cast<float>(load<uint8_t>(record, header.bytes + i)) / 255.0f;
    }
    return map;
  }
  map.indices.resize(count);
  for (size_t i = 0; i < count; ++i) {
    map.values[i] = c10::Half(load<uint16_t>(record, header.bytes + 2 * i), c10::Half::from_bits());
    if (!std::isfinite(map.values[i]))
      fail_input("a label record holds a logit that is not finite");
    map.indices[i] = load<uint16_t>(record, header.bytes + 2 * (count + i));
    if (map.indices[i] >= shape.channels) {
      fail_input("a label record names class {} of {}", map.indices[i], shape.channels);
    }
  }
  return map;
}

}  // namespace remixer::labelcache
