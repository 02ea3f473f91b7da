// SPDX-License-Identifier: Apache-2.0
// Reads and writes little-endian numbers in byte strings.
#pragma once

#include <bit>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace remixer::labelcache {

static_assert(std::endian::native == std::endian::little, "label files are little-endian");

template <typename T>
void append(std::string& bytes, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// The number at `offset`, which may be unaligned but must be inside.
template <typename T>
T load(std::string_view bytes, size_t offset) {
  static_assert(std::is_trivially_copyable_v<T>);
  assert(offset + sizeof(T) <= bytes.size());
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

}  // namespace remixer::labelcache
