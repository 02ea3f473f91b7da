// SPDX-License-Identifier: Apache-2.0
#include "labelcache/file/bit_packing.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <utility>

#include "labelcache/file/bytes.h"

namespace remixer::labelcache {
namespace {

constexpr size_t kGroup = 8, kMostBits = 16, kMostExceptions = 255;
constexpr size_t kHeaderBytes = 4, kExceptionBytes = 4;

size_t bits_of(uint16_t value) {
  size_t bits = 0;
  for (; value != 0; value >>= 1) ++bits;
  return bits;
}

// The bit width at which `values` minus `base` take the fewest bytes; on a tie, fewer exceptions.
size_t best_bits(std::span<const uint16_t> values, uint16_t base) {
  std::array<size_t, kMostBits + 1> wide{};  // by the number of bits needed
  for (const uint16_t value : values) ++wide[bits_of(static_cast<uint16_t>(value - base))];
  const size_t groups = (values.size() + kGroup - 1) / kGroup;
  size_t best = kMostBits, least = groups * kMostBits, exceptions = 0;
  for (size_t bits = kMostBits; bits-- > 0;) {
    exceptions += wide[bits + 1];
    if (exceptions > kMostExceptions) break;
    const size_t bytes = groups * bits + exceptions * kExceptionBytes;
    if (bytes < least) {
      least = bytes;
      best = bits;
    }
  }
  return best;
}

// Unpacks groups of eight numbers of `Bits` bits each. All shifts are compile-time constants.
template <size_t Bits>
void unpack_groups(const uint8_t* in, size_t groups, uint16_t base, uint16_t* out) {
  constexpr uint32_t kMask = (uint32_t{1} << Bits) - 1;
  for (size_t group = 0; group < groups; ++group, in += Bits, out += kGroup) {
    [&]<size_t... I>(std::index_sequence<I...>) {
      const auto number = [&](size_t bit) {
        uint32_t word;
        std::memcpy(&word, in + bit / 8, sizeof word);
        return static_cast<uint16_t>(base + ((word >> bit % 8) & kMask));
      };
      ((out[I] = number(I * Bits)), ...);
    }
    (std::make_index_sequence<kGroup>());
  }
}

using Unpack = void (*)(const uint8_t*, size_t, uint16_t, uint16_t*);
template <size_t... Bits>
constexpr std::array<Unpack, sizeof...(Bits)> unpackers(std::index_sequence<Bits...>) {
  return {unpack_groups<Bits>...};
}
constexpr auto kUnpackers = unpackers(std::make_index_sequence<kMostBits + 1>());

}  // namespace

void pack(std::span<const uint16_t> values, std::string& bytes) {
  assert(values.size() <= size_t{1} << 16);
  // Small negative numbers wrap around to nearly 65536; the base may be there too.
  const uint16_t base = values.empty() ? 0 : *std::min_element(values.begin(), values.end());
  const size_t bits = best_bits(values, base);
  std::string exceptions, highs;
  const size_t start = bytes.size() + kHeaderBytes;
  const size_t groups = (values.size() + kGroup - 1) / kGroup;
  bytes.append(kHeaderBytes + groups * bits, '\0');
  for (size_t i = 0; i < values.size(); ++i) {
    const uint32_t number = static_cast<uint16_t>(values[i] - base);
    const uint32_t low = number & ((uint32_t{1} << bits) - 1), high = number >> bits;
    const size_t bit = (i % kGroup) * bits;
    uint32_t word = low << bit % 8;
    for (size_t at = start + i / kGroup * bits + bit / 8; word != 0; ++at, word >>= 8) {
      bytes[at] = static_cast<char>(bytes[at] | static_cast<char>(word & 255));
    }
    if (high == 0) continue;
    append(exceptions, static_cast<uint16_t>(i));
    append(highs, static_cast<uint16_t>(high));
  }
  std::memcpy(&bytes[start - kHeaderBytes], &base, sizeof base);
  bytes[start - 2] = static_cast<char>(bits);
  bytes[start - 1] = static_cast<char>(exceptions.size() / sizeof(uint16_t));
  bytes += exceptions + highs;
}

const uint8_t* unpack(const uint8_t* begin, const uint8_t* end, size_t count, uint16_t* out) {
  if (static_cast<size_t>(end - begin) < kHeaderBytes) return nullptr;
  uint16_t base;
  std::memcpy(&base, begin, sizeof base);
  const size_t bits = begin[2], exceptions = begin[3];
  const size_t groups = (count + kGroup - 1) / kGroup;
  if (bits > kMostBits) return nullptr;
  const size_t size = kHeaderBytes + groups * bits + exceptions * kExceptionBytes;
  if (static_cast<size_t>(end - begin) < size) return nullptr;
  kUnpackers[bits](begin + kHeaderBytes, groups, base, out);
  const uint8_t* places = begin + kHeaderBytes + groups * bits;
  for (size_t i = 0; i < exceptions; ++i) {
    uint16_t place, high;
    std::memcpy(&place, places + 2 * i, sizeof place);
    std::memcpy(&high, places + 2 * (exceptions + i), sizeof high);
    if (place >= count) return nullptr;
    out[place] = static_cast<uint16_t>(out[place] + (uint32_t{high} << bits));
  }
  return begin + size;
}

}  // namespace remixer::labelcache
