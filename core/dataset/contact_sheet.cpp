// SPDX-License-Identifier: Apache-2.0
#include "core/dataset/contact_sheet.h"

#include <algorithm>

#include "base/error.h"
#include "core/dataset/dataset.h"

namespace remixer::data {

namespace {

constexpr int kGap = 4;
constexpr uint8_t kGapShade = 255, kEmptyShade = 200;

// Fits `image` into cell x cell: small images are enlarged by a whole factor, so that pixels stay
// sharp, and centred; large ones are shrunk.
Image fitted(const Image& image, int cell) {
  const int longer = std::max(image.width, image.height);
  Image result(cell, cell);
  std::fill(result.pixels.begin(), result.pixels.end(), kEmptyShade);
  const int factor = cell / longer;
  const Image source = factor >= 1 ? image
                                   : resize(image, std::max(1, image.width * cell / longer),
                                            std::max(1, image.height * cell / longer));
  const int scale = std::max(factor, 1);
  const int left = (cell - source.width * scale) / 2, top = (cell - source.height * scale) / 2;
  for (int y = 0; y < source.height * scale; ++y) {
    for (int x = 0; x < source.width * scale; ++x) {
      std::copy_n(source.at(x / scale, y / scale), 3, result.at(left + x, top + y));
    }
  }
  return result;
}

void place(const Image& image, int left, int top, Image& sheet) {
  for (int y = 0; y < image.height; ++y) {
    std::copy_n(image.at(0, y), image.width * 3, sheet.at(left, top + y));
  }
}

}  // namespace

Image contact_sheet(const std::filesystem::path& folder, const std::vector<std::string>& splits,
                    int cell) {
  if (splits.empty()) fail_input("a contact sheet needs at least one split");
  if (cell < 8 || cell > 1024) fail_input("a cell must have 8 to 1024 pixels, not {}", cell);
  const int pitch = cell + kGap;
  Image sheet;
  for (size_t column = 0; column < splits.size(); ++column) {
    const Dataset dataset = Dataset::open(folder, splits[column]);
    const int rows = static_cast<int>(dataset.classes().size());
    if (column == 0) {
      sheet = Image(static_cast<int>(splits.size()) * pitch + kGap, rows * pitch + kGap);
      std::fill(sheet.pixels.begin(), sheet.pixels.end(), kGapShade);
    }
    for (int row = 0; row < rows; ++row) {
      const auto& samples = dataset.samples();
      const auto first = std::find_if(samples.begin(), samples.end(),
                                      [&](const Sample& sample) { return sample.label == row; });
      Image image(1, 1);
      std::fill(image.pixels.begin(), image.pixels.end(), kEmptyShade);
      if (first != samples.end()) image = read_image(dataset.image_path(*first));
      place(fitted(image, cell), kGap + static_cast<int>(column) * pitch, kGap + row * pitch,
            sheet);
    }
  }
  return sheet;
}

}  // namespace remixer::data
