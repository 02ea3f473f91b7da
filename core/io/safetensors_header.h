// The header of a safetensors file: text to entries, checked, and back.
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace remixer::io {

struct TensorEntry {
  std::string name;
  at::ScalarType type = at::kFloat;
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;  // in bytes, from the end of the header
};

struct SafetensorsHeader {
  std::vector<TensorEntry> entries;  // by position in the file
  std::map<std::string, std::string> metadata;
};

// `text` without its length; the file holds data_bytes after it; `file` names it in messages.
// Throws InputError as read_safetensors does. On return the entries tile [0, data_bytes) exactly.
SafetensorsHeader parse_header(std::string_view text, uint64_t data_bytes, const std::string& file);

// The header's text, padded with spaces so that the data begins on a multiple of 64 bytes.
std::string header_text(const SafetensorsHeader& header);

// Throws InputError naming `name` where the format has no such type.
std::string_view type_name(at::ScalarType type, const std::string& name);

}  // namespace remixer::io
