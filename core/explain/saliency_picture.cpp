// SPDX-License-Identifier: Apache-2.0
#include "core/explain/saliency_picture.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "core/explain/caption.h"

namespace remixer::explain {
namespace {

constexpr int kLeastSide = 192;
constexpr int kHeading = 28, kLine = 24;
constexpr std::array<uint8_t, 3> kInk{27, 31, 36}, kWrong{163, 30, 0};

// Enlarged for viewing; a small image's pixels stay sharp.
data::Image enlarged(const data::Image& image) {
  const int factor = std::max(1, (kLeastSide + image.width - 1) / image.width);
  data::Image large(image.width * factor, image.height * factor);
  for (int y = 0; y < large.height; ++y) {
    for (int x = 0; x < large.width; ++x)
      std::copy_n(image.at(x / factor, y / factor), 3, large.at(x, y));
  }
  return large;
}

// Colours that everyone can tell apart (Okabe and Ito's), then mixtures of them.
std::array<uint8_t, 3> class_colour(size_t rank) {
  constexpr std::array<std::array<uint8_t, 3>, 7> kColours{{{230, 159, 0},
                                                            {86, 180, 233},
                                                            {0, 158, 115},
                                                            {240, 228, 66},
                                                            {0, 114, 178},
                                                            {213, 94, 0},
                                                            {204, 121, 167}}};
  return kColours[rank % kColours.size()];
}

// The classes of an image's patches, ranked by their number of patches.
std::map<int32_t, size_t> ranks(const int32_t* classes, int64_t patches) {
  std::map<int32_t, int64_t> counts;
  for (int64_t p = 0; p < patches; ++p) ++counts[classes[p]];
  std::vector<std::pair<int64_t, int32_t>> order;
  for (const auto& [number, count] : counts) order.emplace_back(-count, number);
  std::sort(order.begin(), order.end());
  std::map<int32_t, size_t> ranks;
  for (const auto& [count, number] : order) ranks.emplace(number, ranks.size());
  return ranks;
}

// A picture with a line of text below it.
data::Image with_line(const data::Image& picture, const std::string& text,
                      std::array<uint8_t, 3> colour) {
  const data::Image line = caption(text, picture.width, kLine, colour);
  data::Image both(picture.width, picture.height + kLine);
  std::copy(picture.pixels.begin(), picture.pixels.end(), both.pixels.begin());
  std::copy(line.pixels.begin(), line.pixels.end(),
            both.pixels.begin() + static_cast<std::ptrdiff_t>(picture.pixels.size()));
  return both;
}

void check_same_images(const std::vector<SaliencyColumn>& columns) {
  if (columns.empty()) fail_input("no saliency maps to draw");
  const SaliencyFile& first = columns.front().file;
  for (const SaliencyColumn& column : columns) {
    if (column.file.samples != first.samples || column.file.side != first.side ||
        column.file.dataset_sha256 != first.dataset_sha256) {
      fail_input("saliency maps of '{}' and '{}' are of different images: draw both by one grid",
                 columns.front().heading, column.heading);
    }
  }
}

data::Image row_of(const std::vector<SaliencyColumn>& columns, size_t i) {
  const SaliencyFile& first = columns.front().file;
  const data::Image original = enlarged(image_of(first, i));
  std::vector<data::Image> row{with_line(original, first.classes[i], kInk)};
  for (const SaliencyColumn& column : columns) {
    row.push_back(with_line(overlay(original, map_of(column.file, i)), column.file.answers[i],
                            column.file.right[i] != 0 ? kInk : kWrong));
  }
  for (const SaliencyColumn& column : columns) {
    if (column.file.patch_values.empty()) continue;
    row.push_back(with_line(label_overlay(column.file, i, original.width), "", kInk));
  }
  return side_by_side(row);
}

}  // namespace

data::Image image_of(const SaliencyFile& file, size_t i) {
  const auto side = static_cast<int>(file.side);
  data::Image image(side, side);
  const size_t bytes = image.pixels.size();
  std::copy_n(file.images.begin() + static_cast<std::ptrdiff_t>(i * bytes), bytes,
              image.pixels.begin());
  return image;
}

HeatMap map_of(const SaliencyFile& file, size_t i) {
  const auto patches = static_cast<std::ptrdiff_t>(file.grid * file.grid);
  const auto begin = file.maps.begin() + static_cast<std::ptrdiff_t>(i) * patches;
  return {static_cast<int>(file.grid), {begin, begin + patches}};
}

data::Image label_overlay(const SaliencyFile& file, size_t i, int side) {
  const int64_t patches = file.grid * file.grid;
  const float* values = &file.patch_values[i * static_cast<size_t>(patches)];
  const int32_t* classes =
      file.patch_classes.empty() ? nullptr : &file.patch_classes[i * static_cast<size_t>(patches)];
  const auto rank = classes ? ranks(classes, patches) : std::map<int32_t, size_t>();
  const data::Image small = image_of(file, i);
  data::Image result(side, side);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const int64_t patch = y * file.grid / side * file.grid + x * file.grid / side;
      const double value = std::clamp(static_cast<double>(values[patch]), 0.0, 1.0);
      const auto colour = classes ? class_colour(rank.at(classes[patch])) : heat_colour(value);
      const double opacity = classes ? 0.25 + 0.6 * value : 0.65;
      const uint8_t* under =
          small.at(static_cast<int>(x * file.side / side), static_cast<int>(y * file.side / side));
      const double grey = 0.299 * under[0] + 0.587 * under[1] + 0.114 * under[2];
      for (int channel = 0; channel < 3; ++channel) {
        result.at(x, y)[channel] = static_cast<uint8_t>(
            std::lround(opacity * colour[static_cast<size_t>(channel)] + (1 - opacity) * grey));
      }
    }
  }
  return result;
}

data::Image saliency_picture(const std::vector<SaliencyColumn>& columns) {
  check_same_images(columns);
  const int side = enlarged(image_of(columns.front().file, 0)).width;
  std::vector<std::string> headings{"Original"};
  for (const SaliencyColumn& column : columns) headings.push_back(column.heading);
  for (const SaliencyColumn& column : columns) {
    if (!column.file.patch_values.empty()) headings.push_back("patch labels");
  }
  std::vector<data::Image> rows;
  for (size_t i = 0; i < columns.front().file.samples.size(); ++i)
    rows.push_back(row_of(columns, i));
  // Each heading over its column.
  data::Image strip(rows.front().width, kHeading);
  std::fill(strip.pixels.begin(), strip.pixels.end(), 255);
  const int pitch = (strip.width - side) / static_cast<int>(headings.size() - 1);
  for (size_t c = 0; c < headings.size(); ++c) {
    const data::Image heading = caption(headings[c], side, kHeading);
    for (int y = 0; y < kHeading; ++y) {
      std::copy_n(heading.at(0, y), 3 * side, strip.at(static_cast<int>(c) * pitch, y));
    }
  }
  rows.insert(rows.begin(), std::move(strip));
  return stacked(rows);
}

}  // namespace remixer::explain
