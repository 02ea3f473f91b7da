// SPDX-License-Identifier: Apache-2.0
// The Fashion Background Challenge: garments of Fashion-MNIST on crops of photographs, with the
// Background Challenge's eight test variants. docs/datasets.md describes the result.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "core/builders/fashion_backgrounds.h"
#include "core/builders/fashion_mnist.h"
#include "core/dataset/scene.h"
#include "experiments/spec/component_spec.h"

namespace remixer::data {

constexpr int kFashionImageSide = 32;
constexpr int kLeastGarmentSide = 22;
// Probability that a class gets one of its own two photographs, in training and in Original.
constexpr double kPreferredProbability = 0.6;

// The source images, in memory.
struct FashionSources {
  Garments train, test;
  std::vector<Image> photographs;
};
FashionSources load_fashion_sources(const std::filesystem::path& garments,
                                    const std::filesystem::path& photographs, unsigned threads);

// All choices for one image: garment, size, position and background.
struct FashionPlan {
  int label = 0;
  int garment = 0;  // index into the part's images
  int side = 0;     // of the garment's 28x28 frame, scaled
  int x = 0, y = 0;
  Crop background;
};
// Plans a region's `count` images (train: from Fashion-MNIST's train part; test: from its t10k
// part). Classes take turns; no garment is used twice. Throws InputError if a class has too few
// garments.
std::vector<FashionPlan> plan_images(const FashionSources& sources, Region region, int64_t count,
                                     uint64_t seed);

// For each test image, the image that each Mixed variant takes its background from.
struct MixedSources {
  std::vector<int64_t> same, rand, next;
};
MixedSources plan_mixed(const std::vector<FashionPlan>& plans, uint64_t seed);

Scene make_scene(const FashionSources& sources, Region region, const FashionPlan& plan);

// Implements build_dataset() for "fashion-bg". `spec` must give every parameter.
void build_fashion_bg(const experiments::DatasetSpec& spec, const FashionSources& sources,
                      const std::filesystem::path& folder, unsigned threads,
                      const std::function<void(int64_t done, int64_t total)>& on_progress);

}  // namespace remixer::data
