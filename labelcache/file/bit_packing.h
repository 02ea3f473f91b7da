// SPDX-License-Identifier: Apache-2.0
// Bit packing: streams of small numbers with a fixed bit width, and exceptions for larger ones.
//
//   base (u16) · bits (u8) · exceptions (u8) · ceil(n / 8) groups of `bits` bytes ·
//   exceptions × place (u16) · exceptions × high bits (u16)
//
// A group holds eight numbers, the first in the lowest bits; number i is base + low + (high <<
// bits), modulo 65536. Groups are byte-aligned, so that they are read with constant shifts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace remixer::labelcache {

// Decoders may read this many bytes past the end of a stream; their values do not matter.
constexpr size_t kReadSlack = 8;

// `count` rounded up to whole groups: what unpack() writes.
constexpr size_t in_groups(size_t count) {
  return (count + 7) / 8 * 8;
}

// Appends the stream of `values` to `bytes`, with the bit width that makes it shortest. At most
// 65536 values.
void pack(std::span<const uint16_t> values, std::string& bytes);

// Reads a stream of `count` values into `out`, which has room for in_groups(count). → the byte
// after the stream, or null if it extends past `end` or an exception's place is out of range.
// kReadSlack bytes after `end` must be readable.
const uint8_t* unpack(const uint8_t* begin, const uint8_t* end, size_t count, uint16_t* out);

}  // namespace remixer::labelcache
