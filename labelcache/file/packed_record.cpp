// SPDX-License-Identifier: Apache-2.0
#include "labelcache/file/packed_record.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "base/error.h"
#include "labelcache/file/bytes.h"
#include "labelcache/file/processors.h"

namespace remixer::labelcache {
namespace {

constexpr uint16_t kSign = 0x8000;

// Maps a float16's bits to an integer that increases with the value.
uint16_t ordered(uint16_t half) {
  return static_cast<uint16_t>(half & kSign ? ~half : half | kSign);
}

// Computes the values of rank r from their differences to rank r - 1, in place.
REMIXER_FOR_EACH_PROCESSOR
void add_losses(const uint16_t* before, uint16_t* losses, size_t count) {
  for (size_t i = 0; i < count; ++i) losses[i] = static_cast<uint16_t>(before[i] - losses[i]);
}

REMIXER_FOR_EACH_PROCESSOR
void to_halves(uint16_t* numbers, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const uint16_t number = numbers[i];
    // All ones if the value is negative: its bits were inverted as a whole.
    const auto negative = static_cast<uint16_t>((number >> 15) - 1);
    numbers[i] = static_cast<uint16_t>(number ^ (negative | kSign));
  }
}

REMIXER_FOR_EACH_PROCESSOR
uint16_t largest(const uint16_t* values, size_t count) {
  uint16_t most = 0;
  for (size_t i = 0; i < count; ++i) most = std::max(most, values[i]);
  return most;
}

REMIXER_FOR_EACH_PROCESSOR
uint16_t largest_size(const uint16_t* halves, size_t count) {
  uint16_t most = 0;
  for (size_t i = 0; i < count; ++i) {
    most = std::max(most, static_cast<uint16_t>(halves[i] & 0x7fff));
  }
  return most;
}

}  // namespace

REMIXER_FOR_EACH_PROCESSOR
void halves_to_floats(const uint16_t* halves, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) {
    // Exponent and mantissa are shifted into place and the exponent's bias is corrected by an exact
    // product, which also normalises float16's subnormal numbers.
    const uint32_t bits = static_cast<uint32_t>(halves[i] & 0x7fff) << 13;
    const uint32_t sign = static_cast<uint32_t>(halves[i] & kSign) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    value *= 0x1p112f;
    uint32_t signed_bits;
    std::memcpy(&signed_bits, &value, sizeof signed_bits);
    signed_bits |= sign;
    std::memcpy(&out[i], &signed_bits, sizeof value);
  }
}

void pack_record(std::string_view record, const MapShape& shape, std::string& bytes) {
  assert(shape.top_k > 0);
  const RecordHeader header = read_record_header(record);
  const size_t cells = header.cells(), top_k = static_cast<size_t>(shape.top_k);
  assert(record.size() == record_size(record, shape) && cells <= kMostPackedCells);
  std::vector<uint16_t> classes, stream(cells), streams;
  std::vector<int32_t> code_of(static_cast<size_t>(shape.channels), -1);
  for (size_t rank = 0; rank < top_k; ++rank) {
    for (size_t cell = 0; cell < cells; ++cell) {
      const size_t place = header.bytes + 2 * (cells * top_k + cell * top_k + rank);
      int32_t& code = code_of.at(load<uint16_t>(record, place));
      if (code < 0) {
        code = static_cast<int32_t>(classes.size());
        classes.push_back(load<uint16_t>(record, place));
      }
      streams.push_back(static_cast<uint16_t>(code));
    }
  }
  bytes += record.substr(0, header.bytes);
  append(bytes, static_cast<uint16_t>(classes.size()));
  pack(classes, bytes);
  std::vector<uint16_t> before(cells, 0);
  for (size_t rank = 0; rank < top_k; ++rank) {
    for (size_t cell = 0; cell < cells; ++cell) {
      const size_t place = header.bytes + 2 * (cell * top_k + rank);
      const uint16_t number = ordered(load<uint16_t>(record, place));
      stream[cell] = rank == 0 ? number : static_cast<uint16_t>(before[cell] - number);
      before[cell] = number;
    }
    pack(stream, bytes);
  }
  for (size_t rank = 0; rank < top_k; ++rank) pack({&streams[rank * cells], cells}, bytes);
}

void unpack_record(std::string_view bytes, const MapShape& shape, UnpackedRecord& record) {
  const auto fail_impossible = [] { fail_input("a packed label record is impossible"); };
  const RecordHeader header = read_record_header(bytes);
  const size_t cells = header.cells(), top_k = static_cast<size_t>(shape.top_k);
  if (bytes.size() < header.bytes + 2 || cells == 0 || cells > kMostPackedCells ||
      cells * top_k > kMostPackedLabels) {
    fail_impossible();
  }
  record.height = header.height;
  record.width = header.width;
  record.cover = header.cover;
  record.stride = in_groups(cells);
  const size_t named = load<uint16_t>(bytes, header.bytes);
  record.classes.resize(in_groups(named));
  record.halves.resize(record.stride * top_k);
  record.codes.resize(record.stride * top_k);

  const auto* end = reinterpret_cast<const uint8_t*>(bytes.data() + bytes.size());
  const auto* place = reinterpret_cast<const uint8_t*>(bytes.data()) + header.bytes + 2;
  const auto next = [&](size_t count, uint16_t* out) {
    place = unpack(place, end, count, out);
    if (place == nullptr) fail_impossible();
  };
  next(named, record.classes.data());
  record.classes.resize(named);
  for (size_t rank = 0; rank < top_k; ++rank) {
    uint16_t* numbers = &record.halves[rank * record.stride];
    next(cells, numbers);
    if (rank > 0) add_losses(numbers - record.stride, numbers, cells);
  }
  to_halves(record.halves.data(), record.halves.size());
  for (size_t rank = 0; rank < top_k; ++rank) {
    uint16_t* codes = &record.codes[rank * record.stride];
    next(cells, codes);
    if (largest(codes, cells) >= named) fail_impossible();
  }
  if (place != end || largest(record.classes.data(), named) >= shape.channels) fail_impossible();
}

bool all_finite(const UnpackedRecord& record, const MapShape& shape) {
  constexpr uint16_t kInfinity = 0x7c00;
  const size_t cells = static_cast<size_t>(record.height) * static_cast<size_t>(record.width);
  for (size_t rank = 0; rank < static_cast<size_t>(shape.top_k); ++rank) {
    if (largest_size(&record.halves[rank * record.stride], cells) >= kInfinity) return false;
  }
  return true;
}

data::LabelMap to_map(const UnpackedRecord& record, const MapShape& shape) {
  data::LabelMap map;
  map.height = record.height;
  map.width = record.width;
  map.cover = record.cover;
  map.channels = shape.channels;
  map.top_k = shape.top_k;
  const size_t cells = static_cast<size_t>(record.height) * static_cast<size_t>(record.width);
  const size_t top_k = static_cast<size_t>(shape.top_k);
  map.values.resize(cells * top_k);
  map.indices.resize(cells * top_k);
  thread_local std::vector<float> values;
  values.resize(record.stride);
  for (size_t rank = 0; rank < top_k; ++rank) {
    halves_to_floats(&record.halves[rank * record.stride], record.stride, values.data());
    const uint16_t* codes = &record.codes[rank * record.stride];
    for (size_t cell = 0; cell < cells; ++cell) {
      map.values[cell * top_k + rank] = values[cell];
      map.indices[cell * top_k + rank] = record.classes[codes[cell]];
    }
  }
  return map;
}

}  // namespace remixer::labelcache
