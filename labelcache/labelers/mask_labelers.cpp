// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "core/builders/grabcut.h"
#include "core/dataset/scene.h"
#include "labelcache/labelers/labelers.h"

namespace remixer::labelcache {
namespace {

data::LabelMap zero_map(int height, int width) {
  data::LabelMap map;
  map.height = height;
  map.width = width;
  map.values.assign(static_cast<size_t>(height) * static_cast<size_t>(width), 0.0f);
  return map;
}

}  // namespace

data::GrayImage read_true_mask(const std::filesystem::path& file) {
  data::GrayImage mask = data::read_gray(file);
  if (!data::shows_object(mask)) fail_input("{} is empty: it holds no object", file.string());
  return mask;
}

data::LabelMap mask_map(const data::GrayImage& mask) {
  data::LabelMap map = zero_map(mask.height, mask.width);
  std::transform(mask.pixels.begin(), mask.pixels.end(), map.values.begin(),
                 [](uint8_t pixel) { return static_cast<float>(pixel) / 255.0f; });
  return map;
}

std::vector<data::Box> BboxGrabcutLabeler::boxes_of(const LabelInput& input) const {
  std::vector<data::Box> boxes;
  if (input.sample.box) boxes.push_back(*input.sample.box);
  boxes.insert(boxes.end(), input.sample.more_boxes.begin(), input.sample.more_boxes.end());
  return boxes;
}

std::vector<data::LabelMap> BboxGrabcutLabeler::label(const std::vector<LabelInput>& batch) const {
  std::vector<data::LabelMap> maps;
  for (const LabelInput& input : batch) {
    data::LabelMap map = zero_map(input.image.height, input.image.width);
    const std::vector<data::Box> boxes = boxes_of(input);
    for (size_t i = 0; i < boxes.size(); ++i) {
      Random random(0, RandomPurpose::kLabel, xxh3(input.sample.id), i);
      const uint64_t seed = (uint64_t{random.next_u32()} << 32) | random.next_u32();
      const data::LabelMap cut =
          mask_map(data::grabcut(input.image, boxes[i], static_cast<double>(scale_), seed));
      std::transform(map.values.begin(), map.values.end(), cut.values.begin(), map.values.begin(),
                     [](float a, float b) { return std::max(a, b); });
    }
    maps.push_back(std::move(map));
  }
  return maps;
}

std::vector<data::LabelMap> MaskLabeler::label(const std::vector<LabelInput>& batch) const {
  std::vector<data::LabelMap> maps;
  for (const LabelInput& input : batch) {
    maps.push_back(input.mask.pixels.empty() ? zero_map(1, 1) : mask_map(input.mask));
  }
  return maps;
}

}  // namespace remixer::labelcache
