// SPDX-License-Identifier: Apache-2.0
// Makes any text one line, for messages that quote it.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace remixer {

// The text with control characters escaped as in a C string.
inline std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '\n') {
      line += "\\n";
    } else if (code < 0x20 || code == 0x7f) {
      line += fmt::format("\\x{:02x}", code);
    } else {
      line += c;
    }
  }
  return line;
}

}  // namespace remixer
