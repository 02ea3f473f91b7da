// SPDX-License-Identifier: Apache-2.0
// Checks text: valid UTF-8, control characters.
#pragma once

#include <string_view>

namespace remixer {

// True for well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
bool is_utf8(std::string_view text);

// True if the text has a character below U+0020, or U+007F: tabs, line breaks, escapes.
bool has_control(std::string_view text);

}  // namespace remixer
