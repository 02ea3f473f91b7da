// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/hash.h"

namespace remixer {
namespace {

constexpr int64_t kLargestInteger = int64_t{1} << 53;

// UTF-16 code units of strict UTF-8. They define the order of members; text that is not valid UTF-8
// has no canonical form.
std::u16string utf16(const std::string& text) {
  std::u16string units;
  const auto bad = [&]() {
    fail_input("JSON text is not valid UTF-8 (after {} characters)", units.size());
  };
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const int length = lead < 0x80   ? 1
                       : lead < 0xc2 ? 0
                       : lead < 0xe0 ? 2
                       : lead < 0xf0 ? 3
                       : lead < 0xf5 ? 4
                                     : 0;
    if (length == 0 || i + length > text.size()) bad();
    uint32_t point = length == 1 ? lead : lead & (0x7f >> length);
    for (int k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) bad();
      point = point << 6 | (next & 0x3f);
    }
    const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
    if (overlong || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) bad();
    if (point < 0x10000) {
      units += static_cast<char16_t>(point);
    } else {
      units += static_cast<char16_t>(0xd800 + ((point - 0x10000) >> 10));
      units += static_cast<char16_t>(0xdc00 + ((point - 0x10000) & 0x3ff));
    }
    i += length;
  }
  return units;
}

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

// True if the text needs no escaping: no quote, backslash or control character, only ASCII.
bool is_plain(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) - 0x20u < 0x60u && c != '"' && c != '\\';
  });
}

void append_escaped(char c, std::string& out) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      if (static_cast<unsigned char>(c) < 0x20) {
        out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      } else {
        out += c;
      }
  }
}

void append_string(const std::string& text, std::string& out) {
  out += '"';
  if (is_plain(text)) {
    out += text;
  } else {
    if (!is_ascii(text)) utf16(text);  // throws if it is not UTF-8
    for (const char c : text) append_escaped(c, out);
  }
  out += '"';
}

// ECMAScript's Number::toString: the shortest digits that read back as `value`, with an exponent
// only outside [1e-6, 1e21).
void append_double(double value, std::string& out) {
  if (!std::isfinite(value)) fail_input("JSON cannot hold the number {}", value);
  if (value == 0) {  // also -0
    out += '0';
    return;
  }
  char buffer[40];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, std::abs(value), std::chars_format::scientific)
          .ptr;
  const std::string_view text(buffer, end - buffer);
  const size_t e = text.find('e');
  std::string digits(1, text[0]);
  if (e > 2) digits += text.substr(2, e - 2);
  int exponent = 0;
  const char* from = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(from, end, exponent);

  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;  // digits before the decimal point
  if (value < 0) out += '-';
  if (count <= point && point <= 21) {
    out += digits + std::string(point - count, '0');
  } else if (0 < point && point <= 21) {
    out += digits.substr(0, point) + '.' + digits.substr(point);
  } else if (-6 < point && point <= 0) {
    out += "0." + std::string(-point, '0') + digits;
  } else {
    out += digits[0];
    if (count > 1) out += '.' + digits.substr(1);
    out += fmt::format("e{:+d}", exponent);
  }
}

void append(const Json& value, std::string& out);

// Members with ASCII names are already in order.
void append_ascii_object(const Json& value, std::string& out) {
  out += '{';
  for (auto it = value.begin(); it != value.end(); ++it) {
    if (it != value.begin()) out += ',';
    append_string(it.key(), out);
    out += ':';
    append(it.value(), out);
  }
  out += '}';
}

void append_object(const Json& value, std::string& out) {
  bool ascii = true;
  for (auto it = value.begin(); it != value.end(); ++it) ascii = ascii && is_ascii(it.key());
  if (ascii) return append_ascii_object(value, out);
  std::vector<std::pair<std::u16string, Json::const_iterator>> members;
  for (auto it = value.begin(); it != value.end(); ++it) members.emplace_back(utf16(it.key()), it);
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  out += '{';
  for (size_t i = 0; i < members.size(); ++i) {
    if (i > 0) out += ',';
    append_string(members[i].second.key(), out);
    out += ':';
    append(members[i].second.value(), out);
  }
  out += '}';
}

void append(const Json& value, std::string& out) {
  switch (value.type()) {
    case Json::value_t::null:
      out += "null";
      return;
    case Json::value_t::boolean:
      out += value.get<bool>() ? "true" : "false";
      return;
    case Json::value_t::string:
      append_string(value.get_ref<const std::string&>(), out);
      return;
    case Json::value_t::number_float:
      append_double(value.get<double>(), out);
      return;
    case Json::value_t::number_unsigned:
    case Json::value_t::number_integer: {
      const auto number = value.get<int64_t>();
      const bool wrapped = value.is_number_unsigned() && number < 0;
      if (wrapped || number > kLargestInteger || number < -kLargestInteger) {
        fail_input("the integer {} is beyond 2^53, where JSON numbers stop being exact",
                   value.dump());
      }
      out += std::to_string(number);
      return;
    }
    case Json::value_t::array:
      out += '[';
      for (size_t i = 0; i < value.size(); ++i) {
        if (i > 0) out += ',';
        append(value[i], out);
      }
      out += ']';
      return;
    case Json::value_t::object:
      append_object(value, out);
      return;
    default:
      fail_input("JSON holds a value of no JSON type");
  }
}

}  // namespace

std::string canonical_json(const Json& value) {
  std::string out;
  append(value, out);
  return out;
}

std::string content_id(const Json& value) {
  return sha256_hex(canonical_json(value));
}

}  // namespace remixer
