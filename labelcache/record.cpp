#include "labelcache/record.h"

#include <c10/util/Half.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "labelcache/bytes.h"

namespace remixer::labelcache {
namespace {

constexpr size_t kSizeBytes = 4;
constexpr int kLargestSide = std::numeric_limits<uint16_t>::max();

size_t values_of(int height, int width, const MapShape& shape) {
  return static_cast<size_t>(height) * width * (shape.top_k > 0 ? shape.top_k : shape.channels);
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

}  // namespace

std::string encode_record(const data::LabelMap& map, const MapShape& shape) {
  assert(map.channels == shape.channels && map.top_k == shape.top_k);
  if (map.height < 1 || map.width < 1 || map.height > kLargestSide || map.width > kLargestSide) {
    fail("a label map of {} × {} cells cannot be stored", map.height, map.width);
  }
  assert(map.values.size() == values_of(map.height, map.width, shape));
  std::string bytes;
  append(bytes, static_cast<uint16_t>(map.height));
  append(bytes, static_cast<uint16_t>(map.width));
  if (shape.top_k == 0) {
    for (const float value : map.values) append(bytes, quantised(value));
    return bytes;
  }
  assert(map.indices.size() == map.values.size());
  for (const float value : map.values) append(bytes, half_bits(value));
  for (const uint16_t index : map.indices) append(bytes, index);
  return bytes;
}

size_t record_size(std::string_view bytes, const MapShape& shape) {
  if (bytes.size() < kSizeBytes) fail_input("a label record is cut off");
  const size_t count = values_of(load<uint16_t>(bytes, 0), load<uint16_t>(bytes, 2), shape);
  const size_t size = kSizeBytes + count * (shape.top_k > 0 ? 4 : 1);
  if (count == 0 || size > bytes.size()) fail_input("a label record has an impossible size");
  return size;
}

data::LabelMap decode_record(std::string_view record, const MapShape& shape) {
  if (record_size(record, shape) != record.size())
    fail_input("a label record has an impossible size");
  data::LabelMap map;
  map.height = load<uint16_t>(record, 0);
  map.width = load<uint16_t>(record, 2);
  map.channels = shape.channels;
  map.top_k = shape.top_k;
  const size_t count = values_of(map.height, map.width, shape);
  map.values.resize(count);
  if (shape.top_k == 0) {
    for (size_t i = 0; i < count; ++i) {
      map.values[i] = static_cast<float>(load<uint8_t>(record, kSizeBytes + i)) / 255.0f;
    }
    return map;
  }
  map.indices.resize(count);
  for (size_t i = 0; i < count; ++i) {
    map.values[i] = c10::Half(load<uint16_t>(record, kSizeBytes + 2 * i), c10::Half::from_bits());
    map.indices[i] = load<uint16_t>(record, kSizeBytes + 2 * (count + i));
    if (map.indices[i] >= shape.channels) {
      fail_input("a label record names class {} of {}", map.indices[i], shape.channels);
    }
  }
  return map;
}

}  // namespace remixer::labelcache
