// SPDX-License-Identifier: Apache-2.0
// Streams of small numbers at a fixed number of bits each, with the few that need more set apart.
//
//   base (u16) · bits (u8) · exceptions (u8) · ceil(n / 8) groups of `bits` bytes ·
//   exceptions × place (u16) · exceptions × high bits (u16)
//
// A group holds eight numbers, the first in the lowest bits; number i is base + low + (high <<
// bits), modulo 65536. Groups begin at whole bytes, so that a group is read with constant shifts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace remixer::labelcache {

// Bytes that decoders may read beyond the last one of a stream, whatever they hold.
constexpr size_t kReadSlack = 8;

// Numbers of a stream in whole groups: what unpack() writes.
constexpr size_t in_groups(size_t count) {
  return (count + 7) / 8 * 8;
}

// Appends the stream of `values` to `bytes`, with the number of bits that makes it shortest. At
// most 65536 values.
void pack(std::span<const uint16_t> values, std::string& bytes);

// Reads a stream of `count` values into `out`, which has room for in_groups(count). → the byte
// after it, or null where it does not end before `end` or an exception lies outside of it.
// kReadSlack bytes after `end` must be readable.
const uint8_t* unpack(const uint8_t* begin, const uint8_t* end, size_t count, uint16_t* out);

}  // namespace remixer::labelcache
