// SPDX-License-Identifier: Apache-2.0
// An empty text as no text.
#pragma once

#include <optional>
#include <string>

namespace remixer {

inline std::optional<std::string> text_if_any(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace remixer
