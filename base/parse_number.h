// SPDX-License-Identifier: Apache-2.0
// Reads a number that is a whole text.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>

namespace remixer {

// `text` as a number in C's notation, whatever the locale; empty if it is anything else: "", " 1",
// "+1", "1 ", "1x", or too large for Number. Floating-point numbers may be "inf" and "nan".
template <std::integral Number>
std::optional<Number> parse_number(std::string_view text, int base = 10) {
  Number value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  const bool whole = code == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

template <std::floating_point Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = code == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

}  // namespace remixer
