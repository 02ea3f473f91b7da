// SPDX-License-Identifier: Apache-2.0
// A small dataset on disk for tests: 32 × 32 images of noise with a bright square, whose colour is
// the class and whose place is the object's box; and the patch labels that follow from the boxes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "core/augment/patch_labels.h"
#include "core/dataset/dataset.h"
#include "core/dataset/dataset_writer.h"
#include "core/image/image.h"

namespace remixer::testing {

inline experiments::DatasetSpec tiny_spec() {
  return {{"tiny"}};
}

// Writes one split's images and returns its rows.
inline std::vector<data::Sample> write_tiny_split(data::DatasetWriter& writer,
                                                  const std::string& split, int count,
                                                  uint64_t seed) {
  const std::string root = split == "train" ? "train" : split + "/val";
  for (const char* name : {"red", "green", "blue"}) writer.add_folder(root + "/" + name);
  std::vector<data::Sample> samples;
  for (int i = 0; i < count; ++i) {
    Random random(seed, RandomPurpose::kTest, static_cast<uint64_t>(i));
    data::Image image(32, 32);
    for (uint8_t& value : image.pixels) value = static_cast<uint8_t>(random.below(160));
    const int label = i % 3, x0 = static_cast<int>(random.below(20)),
              y0 = static_cast<int>(random.below(20));
    for (int y = y0; y < y0 + 12; ++y) {
      for (int x = x0; x < x0 + 12; ++x) {
        image.at(x, y)[label] = static_cast<uint8_t>(140 + random.below(100));
      }
    }
    data::Sample sample;
    sample.label = label;
    sample.id = fmt::format("{}/{}/{:04}.png", root,
                            std::vector{"red", "green", "blue"}[static_cast<size_t>(label)], i);
    sample.box = data::Box{x0, y0, x0 + 11, y0 + 11};
    writer.add_file(sample.id, data::encode_png(image));
    samples.push_back(std::move(sample));
  }
  writer.add_split(split, samples);
  return samples;
}

inline void write_tiny_dataset(const std::filesystem::path& folder, int train, int test) {
  data::DatasetWriter writer(folder, {"red", "green", "blue"}, 32, tiny_spec());
  write_tiny_split(writer, "train", train, 1);
  write_tiny_split(writer, "original", test, 2);
  writer.publish({0.35, 0.35, 0.35}, {0.2, 0.2, 0.2});
}

// Saliency 1 inside a sample's box, 0 outside, one value a pixel.
class BoxLabels : public data::LabelSource {
 public:
  explicit BoxLabels(const data::Dataset& dataset) : dataset_(dataset) {}
  data::LabelMap map(std::string_view id) const override {
    for (const data::Sample& sample : dataset_.samples()) {
      if (sample.id != id) continue;
      data::LabelMap map;
      map.width = map.height = dataset_.image_size();
      for (int y = 0; y < map.height; ++y) {
        for (int x = 0; x < map.width; ++x) {
          const bool inside = sample.box && x >= sample.box->x0 && x <= sample.box->x1 &&
                              y >= sample.box->y0 && y <= sample.box->y1;
          map.values.push_back(inside ? 1.0f : 0.0f);
        }
      }
      return map;
    }
    fail_input("no labels of {}", id);
  }
  int channels() const override { return 1; }
  bool names_top_k() const override { return false; }

 private:
  data::Dataset dataset_;
};

}  // namespace remixer::testing
