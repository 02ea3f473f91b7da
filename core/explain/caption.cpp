// SPDX-License-Identifier: Apache-2.0
#include "core/explain/caption.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

namespace remixer::explain {
namespace {

constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;

std::string printable(const std::string& text) {
  std::string result;
  for (const unsigned char c : text) {
    if (c < 0x80) result += c < 0x20 ? ' ' : static_cast<char>(c);
    if (c >= 0xc0) result += '?';  // once per letter: its remaining bytes are skipped
  }
  return result;
}

cv::Size size_of(const std::string& text, double scale) {
  int below = 0;
  return cv::getTextSize(text, kFont, scale, 1, &below);
}

}  // namespace

data::Image caption(const std::string& text, int width, int height, std::array<uint8_t, 3> colour) {
  data::Image strip(width, height);
  std::fill(strip.pixels.begin(), strip.pixels.end(), 255);
  std::string line = printable(text);
  double scale = height / 34.0;
  const int room = width - 4;
  const int wide = size_of(line, scale).width;
  if (wide > room) scale = std::max(scale * room / wide, 0.3);
  while (line.size() > 4 && size_of(line, scale).width > room) {
    line = line.substr(0, line.size() - 4) + "...";
  }
  const cv::Size size = size_of(line, scale);
  cv::Mat canvas(height, width, CV_8UC3, strip.pixels.data());
  cv::putText(canvas, line, {(width - size.width) / 2, (height + size.height) / 2}, kFont, scale,
              cv::Scalar(colour[0], colour[1], colour[2]), 1, cv::LINE_AA);
  return strip;
}

}  // namespace remixer::explain
