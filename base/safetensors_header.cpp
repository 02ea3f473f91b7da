// SPDX-License-Identifier: Apache-2.0
#include "base/safetensors_header.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "base/error.h"

namespace remixer {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kMetadata = "__metadata__";

// The limit of the format's other readers: a longer header is an attack or a mistake.
constexpr uint64_t kLongestHeader = 100'000'000;

struct TypeName {
  ElementType type;
  std::string_view name;
  uint64_t size;
};
// In the order of ElementType.
constexpr std::array<TypeName, 8> kTypes{{
    {ElementType::kF64, "F64", 8},
    {ElementType::kF32, "F32", 4},
    {ElementType::kF16, "F16", 2},
    {ElementType::kBF16, "BF16", 2},
    {ElementType::kI64, "I64", 8},
    {ElementType::kI32, "I32", 4},
    {ElementType::kU8, "U8", 1},
    {ElementType::kBool, "BOOL", 1},
}};

std::optional<ElementType> type_of(std::string_view name) {
  for (const TypeName& known : kTypes) {
    if (known.name == name) return known.type;
  }
  return std::nullopt;
}

// Rejects duplicate names and nesting deeper than any header's, before they cost memory.
OrderedJson parse_strict(std::string_view text, const std::string& file) {
  constexpr int kDeepest = 3;
  std::array<std::set<std::string>, kDeepest + 2> keys;
  const auto check = [&](int depth, OrderedJson::parse_event_t event, OrderedJson& parsed) {
    if (depth > kDeepest)
      fail_input("{}: not a safetensors file: its header nests too deeply", file);
    if (event == OrderedJson::parse_event_t::object_start) keys[depth + 1].clear();
    if (event == OrderedJson::parse_event_t::key) {
      const auto& name = parsed.get_ref<const std::string&>();
      if (!keys[depth].insert(name).second) {
        fail_input("{}: its header names '{}' twice; write the file again", file, name);
      }
    }
    return true;
  };
  try {
    return OrderedJson::parse(text.begin(), text.end(), check);
  } catch (const OrderedJson::exception&) {
    fail_input("{}: not a safetensors file, or torn: its header is not JSON", file);
  }
}

uint64_t unsigned_value(const OrderedJson& value, const std::string& file,
                        const std::string& tensor, const char* what) {
  if (!value.is_number_unsigned()) {
    fail_input("{}: tensor '{}': {} must be whole numbers >= 0", file, tensor, what);
  }
  return value.get<uint64_t>();
}

void fill_shape(TensorEntry& entry, const OrderedJson& shape, const std::string& file) {
  if (!shape.is_array()) fail_input("{}: tensor '{}': 'shape' must be a list", file, entry.name);
  // A size of 0 must not hide an overflow of the other sizes' product: count it as 1.
  constexpr uint64_t kMost = uint64_t{1} << 60;
  uint64_t product = 1;
  bool empty = false;
  for (const OrderedJson& size : shape) {
    const uint64_t value = unsigned_value(size, file, entry.name, "sizes in 'shape'");
    if (value > kMost || (value > 0 && product > kMost / value)) {
      fail_input("{}: tensor '{}': its shape is larger than any memory", file, entry.name);
    }
    if (value == 0) {
      empty = true;
    } else {
      product *= value;
    }
    entry.shape.push_back(static_cast<int64_t>(value));
  }
  const uint64_t bytes = empty ? 0 : product * element_size(entry.type);
  if (entry.end < entry.begin || entry.end - entry.begin != bytes) {
    fail_input("{}: tensor '{}': its shape needs {} bytes, its data_offsets are {} to {}", file,
               entry.name, bytes, entry.begin, entry.end);
  }
}

TensorEntry entry_of(const std::string& name, const OrderedJson& json, const std::string& file) {
  if (!json.is_object() || json.size() != 3 || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets")) {
    fail_input("{}: tensor '{}': needs exactly 'dtype', 'shape' and 'data_offsets'", file, name);
  }
  TensorEntry entry;
  entry.name = name;
  const std::string dtype = json["dtype"].is_string() ? json["dtype"].get<std::string>() : "";
  const auto type = type_of(dtype);
  if (!type) {
    fail_input("{}: tensor '{}': type '{}' is not one of F64, F32, F16, BF16, I64, I32, U8, BOOL",
               file, name, dtype);
  }
  entry.type = *type;
  const OrderedJson& offsets = json["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2) {
    fail_input("{}: tensor '{}': 'data_offsets' must be two numbers", file, name);
  }
  entry.begin = unsigned_value(offsets[0], file, name, "'data_offsets'");
  entry.end = unsigned_value(offsets[1], file, name, "'data_offsets'");
  fill_shape(entry, json["shape"], file);
  return entry;
}

std::map<std::string, std::string> metadata_of(const OrderedJson& json, const std::string& file) {
  if (!json.is_object()) fail_input("{}: '__metadata__' must map names to texts", file);
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) fail_input("{}: '__metadata__': '{}' must be a text", file, key);
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

// Sorted by position, entries must cover the data up to the file's end without overlap or gap.
void check_tiling(const std::vector<TensorEntry>& entries, uint64_t data_bytes,
                  const std::string& file) {
  uint64_t position = 0;
  for (const TensorEntry& entry : entries) {
    if (entry.end > data_bytes) {
      fail_input("{}: torn: tensor '{}' ends at byte {} of the data, which has {}; copy it again",
                 file, entry.name, entry.end, data_bytes);
    }
    if (entry.begin != position) {
      fail_input("{}: tensor '{}': its data {} (begins at {}, expected {})", file, entry.name,
                 entry.begin < position ? "overlaps another's" : "follows a gap", entry.begin,
                 position);
    }
    position = entry.end;
  }
  if (position != data_bytes) {
    fail_input("{}: {} bytes after the last tensor's data; write the file again", file,
               data_bytes - position);
  }
}

}  // namespace

std::string_view to_string(ElementType type) {
  return kTypes[static_cast<size_t>(type)].name;
}

uint64_t element_size(ElementType type) {
  return kTypes[static_cast<size_t>(type)].size;
}

uint64_t header_length(std::string_view first_bytes, uint64_t file_bytes, const std::string& file) {
  if (file_bytes < kSafetensorsLengthBytes || first_bytes.size() < kSafetensorsLengthBytes) {
    fail_input("{}: not a safetensors file, or torn: only {} bytes", file, file_bytes);
  }
  uint64_t length = 0;
  std::memcpy(&length, first_bytes.data(), kSafetensorsLengthBytes);
  if (length > kLongestHeader || length > file_bytes - kSafetensorsLengthBytes) {
    fail_input("{}: not a safetensors file, or torn: its header claims {} bytes, the file has {}",
               file, length, file_bytes);
  }
  return length;
}

SafetensorsHeader parse_header(std::string_view text, uint64_t data_bytes,
                               const std::string& file) {
  const OrderedJson json = parse_strict(text, file);
  if (!json.is_object()) fail_input("{}: not a safetensors file: its header is no object", file);
  SafetensorsHeader header;
  for (const auto& [name, value] : json.items()) {
    if (name == kMetadata) {
      header.metadata = metadata_of(value, file);
    } else {
      header.entries.push_back(entry_of(name, value, file));
    }
  }
  std::sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  check_tiling(header.entries, data_bytes, file);
  return header;
}

std::string header_text(const SafetensorsHeader& header) {
  OrderedJson json = OrderedJson::object();
  if (!header.metadata.empty()) json[std::string(kMetadata)] = header.metadata;
  for (const TensorEntry& entry : header.entries) {
    if (entry.name == kMetadata || json.contains(entry.name)) {
      fail_input("tensor '{}': this name is reserved or given twice", entry.name);
    }
    json[entry.name] = {{"dtype", to_string(entry.type)},
                        {"shape", entry.shape},
                        {"data_offsets", {entry.begin, entry.end}}};
  }
  std::string text;
  try {
    text = json.dump();
  } catch (const OrderedJson::exception&) {
    fail_input("a tensor's name or metadata is not UTF-8: rename it");
  }
  constexpr size_t kAlignment = 64;
  text.append((kAlignment - (text.size() + kSafetensorsLengthBytes) % kAlignment) % kAlignment,
              ' ');
  return text;
}

}  // namespace remixer
