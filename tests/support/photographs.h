// SPDX-License-Identifier: Apache-2.0
// Photographs for tests: noisy scenes with a bright object whose box is known, saved as JPEG.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/random.h"
#include "core/dataset/dataset.h"
#include "core/image/image.h"
#include "core/image/image_codec.h"
#include "tests/support/temporary_folder.h"

namespace remixer::data {

// A reddish ellipse that fills `box`, on a noisy ground whose shade `seed` decides.
inline Image photograph(int width, int height, const Box& box, uint64_t seed) {
  Image image(width, height);
  Random random(seed, RandomPurpose::kTest);
  const int green = 60 + static_cast<int>(random.below(120));
  const double cx = (box.x0 + box.x1) / 2.0, cy = (box.y0 + box.y1) / 2.0;
  const double rx = (box.x1 - box.x0 + 1) / 2.0, ry = (box.y1 - box.y0 + 1) / 2.0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double dx = (x - cx) / rx, dy = (y - cy) / ry;
      const bool object = dx * dx + dy * dy <= 1;
      const int base[3] = {object ? 200 : 30, object ? 40 : green, object ? 30 : 190};
      for (int c = 0; c < 3; ++c) {
        image.at(x, y)[c] = static_cast<uint8_t>(base[c] + static_cast<int>(random.below(30)));
      }
    }
  }
  return image;
}

inline void save_jpeg(const std::filesystem::path& path, const Image& image) {
  put(path, encode_jpeg(image, 95));
}

// A VOC annotation with these boxes.
inline std::string voc(int width, int height, const std::vector<Box>& boxes,
                       const std::string& object = "n02084071") {
  std::string text = fmt::format(
      "<annotation>\n\t<size>\n\t\t<width>{}</width>\n\t\t<height>{}</height>\n\t</size>\n", width,
      height);
  for (const Box& box : boxes) {
    text += fmt::format(
        "\t<object>\n\t\t<name>{}</name>\n\t\t<bndbox>\n\t\t\t<xmin>{}</xmin>\n\t\t\t<ymin>{}</"
        "ymin>"
        "\n\t\t\t<xmax>{}</xmax>\n\t\t\t<ymax>{}</ymax>\n\t\t</bndbox>\n\t</object>\n",
        object, box.x0, box.y0, box.x1, box.y1);
  }
  return text + "</annotation>\n";
}

// One synset of each of ImageNet-9's classes, in their order.
inline const std::vector<std::string>& nine_synsets() {
  static const std::vector<std::string> synsets = {"n02106662", "n01518878", "n02701002",
                                                   "n01664065", "n02114367", "n02165105",
                                                   "n02672831", "n02480495", "n01440764"};
  return synsets;
}

// Every file below a folder with its bytes' hash and time of writing: what an import must not
// change.
inline std::vector<std::string> fingerprint(const std::filesystem::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    files.push_back(fmt::format("{} {} {}", entry.path().string(),
                                entry.is_regular_file() ? entry.file_size() : 0,
                                entry.last_write_time().time_since_epoch().count()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace remixer::data
