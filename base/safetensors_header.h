// SPDX-License-Identifier: Apache-2.0
// Parses, checks and writes the header of a safetensors file. No LibTorch.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace remixer {

// The supported element types, by the format's names: F64, F32, F16, BF16, I64, I32, U8, BOOL.
enum class ElementType { kF64, kF32, kF16, kBF16, kI64, kI32, kU8, kBool };
std::string_view to_string(ElementType type);
uint64_t element_size(ElementType type);  // bytes

struct TensorEntry {
  std::string name;
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;  // in bytes, from the end of the header

  int64_t elements() const { return static_cast<int64_t>((end - begin) / element_size(type)); }
};

struct SafetensorsHeader {
  std::vector<TensorEntry> entries;  // in file order
  std::map<std::string, std::string> metadata;
};

// The file begins with the header's length, little-endian.
constexpr uint64_t kSafetensorsLengthBytes = 8;

// The length of the header, from the first bytes of a file of `file_bytes`. Throws InputError
// naming `file` if it is invalid.
uint64_t header_length(std::string_view first_bytes, uint64_t file_bytes, const std::string& file);

// `text` excludes the length prefix; data_bytes follow it in the file; `file` names it in messages.
// Throws InputError naming the file, and the tensor if one is at fault: not JSON, an unknown type,
// sizes that contradict the data, ranges that overlap or leave gaps, a duplicate name. On return
// the entries tile [0, data_bytes) exactly.
SafetensorsHeader parse_header(std::string_view text, uint64_t data_bytes, const std::string& file);

// The header's text, padded with spaces so that the data begins on a multiple of 64 bytes. Throws
// InputError if a name is duplicated, is "__metadata__" or is not UTF-8.
std::string header_text(const SafetensorsHeader& header);

}  // namespace remixer
