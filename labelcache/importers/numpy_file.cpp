// SPDX-License-Identifier: Apache-2.0
// Reads masks in NumPy's .npy format (NEP 1): magic number, a Python dictionary as header, data.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "labelcache/file/bytes.h"
#include "labelcache/importers/label_import.h"

namespace remixer::labelcache {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);

// The text between `before` and `after` in a header, or empty.
std::string_view between(std::string_view text, std::string_view before, std::string_view after) {
  const size_t begin = text.find(before);
  if (begin == text.npos) return {};
  text.remove_prefix(begin + before.size());
  return text.substr(0, std::min(text.find(after), text.size()));
}

struct Header {
  std::string type;  // such as "|u1"
  bool by_column = false;
  std::vector<size_t> shape;
  size_t data = 0;  // offset of the data
};

Header read_header(std::string_view bytes, const std::string& name) {
  if (!bytes.starts_with(kMagic) || bytes.size() < 12) fail_input("{}: not a NumPy file", name);
  const bool long_form = bytes[6] >= 2;
  const size_t start = long_form ? 12 : 10;
  const size_t length = long_form ? load<uint32_t>(bytes, 8) : load<uint16_t>(bytes, 8);
  if (bytes.size() - start < length) fail_input("{}: torn in its header", name);
  const std::string_view text = bytes.substr(start, length);
  Header header;
  header.type = between(text, "'descr': '", "'");
  header.by_column = between(text, "'fortran_order': ", ",").starts_with("True");
  header.data = start + length;
  std::string_view shape = between(text, "'shape': (", ")");
  while (!shape.empty()) {
    const size_t digit = shape.find_first_of("0123456789");
    if (digit == shape.npos) break;
    size_t side = 0;
    const auto end = std::from_chars(shape.data() + digit, shape.data() + shape.size(), side).ptr;
    header.shape.push_back(side);
    shape.remove_prefix(static_cast<size_t>(end - shape.data()));
  }
  if (header.type.size() < 3 || header.shape.empty()) fail_input("{}: torn in its header", name);
  return header;
}

// One number of a mask in [0, 1]: bytes are 0 to 255, other integers 0 or 1, floats unchanged.
float value_at(std::string_view data, const std::string& type, size_t at, const std::string& name) {
  const auto one = [&]<typename T>(T) { return static_cast<float>(load<T>(data, at * sizeof(T))); };
  if (type == "|b1" || type == "?") return one(uint8_t{}) != 0 ? 1.0f : 0.0f;
  if (type == "|u1") return one(uint8_t{}) / 255.0f;
  if (type == "|i1") return one(int8_t{});
  if (type == "<i4") return one(int32_t{});
  if (type == "<i8") return one(int64_t{});
  if (type == "<f4") return one(float{});
  if (type == "<f8") return one(double{});
  fail_input("{}: numbers of type {} are not understood; save it as bool, uint8 or float32", name,
             type);
}

}  // namespace

data::LabelMap read_numpy_mask(const std::filesystem::path& file) {
  const std::string bytes = read_file(file), name = file.string();
  Header header = read_header(bytes, name);
  if (header.shape.size() == 3 && header.shape[2] == 1) header.shape.pop_back();
  if (header.shape.size() != 2)
    fail_input("{}: a mask has two dimensions, not {}", name, header.shape.size());
  const size_t height = header.shape[0], width = header.shape[1];
  if (height < 1 || width < 1 || height > 32767 || width > 32767) {
    fail_input("{}: a mask of {} × {} is not possible", name, height, width);
  }
  const size_t each = static_cast<size_t>(header.type.back() - '0');
  const std::string_view data = std::string_view(bytes).substr(header.data);
  if (data.size() != height * width * each) {
    fail_input("{}: holds {} bytes of numbers, its header says {}", name, data.size(),
               height * width * each);
  }
  data::LabelMap map;
  map.height = static_cast<int>(height);
  map.width = static_cast<int>(width);
  // A byte mask with only 0 and 1 holds truth values.
  float largest = 0;
  for (size_t y = 0; y < height; ++y) {
    for (size_t x = 0; x < width; ++x) {
      const size_t at = header.by_column ? x * height + y : y * width + x;
      const float value = value_at(data, header.type, at, name);
      if (!std::isfinite(value) || value < 0 || value > 1) {
        fail_input("{}: holds {}, a mask's numbers are between 0 and 1", name, value);
      }
      largest = std::max(largest, value);
      map.values.push_back(value);
    }
  }
  if (header.type == "|u1" && largest <= 1.0f / 255.0f) {
    for (float& value : map.values) value *= 255.0f;
  }
  return map;
}

}  // namespace remixer::labelcache
