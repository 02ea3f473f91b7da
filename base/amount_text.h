// SPDX-License-Identifier: Apache-2.0
// Counts, hours and sizes for people.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

namespace remixer {

// "1 cell", "2 cells".
inline std::string counted(int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// "1", "1.5", "91": one decimal below ten, and none where it is 0.
inline std::string rounded_text(double amount) {
  std::string text = fmt::format("{:.1f}", amount);
  if (text.ends_with(".0")) return text.substr(0, text.size() - 2);
  return text.size() > 3 ? fmt::format("{:.0f}", amount) : text;
}

// Whole minutes of less than an hour, at least 1 if there is any time; -1: an hour or more.
inline int64_t minutes_below_an_hour(double hours) {
  const auto minutes = std::max<int64_t>(std::llround(hours * 60), hours > 0 ? 1 : 0);
  return minutes < 60 ? minutes : -1;
}

// "12 min", "1.5 h", "91 h".
inline std::string hours_text(double hours) {
  const int64_t minutes = minutes_below_an_hour(hours);
  return minutes >= 0 ? fmt::format("{} min", minutes) : rounded_text(hours) + " h";
}

// The same of many devices' time: "12 GPU-minutes", "1 GPU-hour", "91 GPU-hours".
inline std::string device_hours_text(double hours, std::string_view device) {
  const int64_t minutes = minutes_below_an_hour(hours);
  if (minutes >= 0) return counted(minutes, fmt::format("{}-minute", device));
  const std::string text = rounded_text(hours);
  return fmt::format("{} {}-hour{}", text, device, text == "1" ? "" : "s");
}

// "12 MB", "1.5 GB", "145 GB".
inline std::string gigabytes_text(double gigabytes) {
  const auto megabytes = std::max<int64_t>(std::llround(gigabytes * 1000), gigabytes > 0 ? 1 : 0);
  return megabytes < 1000 ? fmt::format("{} MB", megabytes) : rounded_text(gigabytes) + " GB";
}

}  // namespace remixer
