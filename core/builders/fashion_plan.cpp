// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <numeric>

#include "base/error.h"
#include "base/parallel.h"
#include "core/builders/fashion_bg.h"

namespace remixer::data {

namespace {

// The streams of RandomPurpose::kDataset used by this builder (Random's argument a).
enum Stream : uint64_t {
  kTrainOrder = 1,  // b = class
  kTrainScene = 2,  // b = image
  kTestOrder = 3,
  kTestScene = 4,
  kMixed = 5,
};

// With fewer pixels, a silhouette cannot be told from a speck.
constexpr int kLeastSilhouette = 40;

bool usable(const GrayImage& garment) {
  const GrayImage mask = silhouette(garment);
  return std::count(mask.pixels.begin(), mask.pixels.end(), 255) >= kLeastSilhouette;
}

// The first `count` usable garments of a class in a random order (Fisher-Yates).
std::vector<int> draw_garments(const Garments& garments, int label, int64_t count, Random random) {
  std::vector<int> order;
  for (size_t i = 0; i < garments.labels.size(); ++i) {
    if (garments.labels[i] == label) order.push_back(static_cast<int>(i));
  }
  std::vector<int> drawn;
  for (size_t i = 0; i < order.size() && static_cast<int64_t>(drawn.size()) < count; ++i) {
    std::swap(order[i], order[i + random.below(order.size() - i)]);
    if (usable(garments.images[static_cast<size_t>(order[i])])) drawn.push_back(order[i]);
  }
  if (static_cast<int64_t>(drawn.size()) < count) {
    fail_input("Fashion-MNIST's part \"{}\" has {} usable garments of class {}, {} are asked for",
               garments.part, drawn.size(), kGarmentClassNames[static_cast<size_t>(label)], count);
  }
  return drawn;
}

int draw_photograph(int label, Random& random) {
  if (random.uniform() < kPreferredProbability)
    return 2 * label + static_cast<int>(random.below(2));
  return static_cast<int>(random.below(kPhotographs));
}

// A uniformly drawn image with `label`, other than `self`.
int64_t draw_other(const std::vector<FashionPlan>& plans, int64_t self, int label, Random& random) {
  std::vector<int64_t> candidates;
  for (size_t i = 0; i < plans.size(); ++i) {
    if (plans[i].label == label && static_cast<int64_t>(i) != self) {
      candidates.push_back(static_cast<int64_t>(i));
    }
  }
  if (candidates.empty()) {
    fail_input("Mixed-Same needs two test images of each class; ask for at least {} test_images",
               2 * kGarmentClasses);
  }
  return candidates[random.below(candidates.size())];
}

}  // namespace

FashionSources load_fashion_sources(const std::filesystem::path& garments,
                                    const std::filesystem::path& photographs, unsigned threads) {
  FashionSources sources;
  sources.photographs = load_photographs(photographs, threads);
  parallel_for(2, threads, [&](int64_t part) {
    if (part == 0) {
      sources.train = read_garments(garments, "train");
    } else {
      sources.test = read_garments(garments, "t10k");
    }
  });
  return sources;
}

std::vector<FashionPlan> plan_images(const FashionSources& sources, Region region, int64_t count,
                                     uint64_t seed) {
  const bool train = region == Region::kTrain;
  const Garments& garments = train ? sources.train : sources.test;
  std::array<std::vector<int>, kGarmentClasses> drawn;
  for (int label = 0; label < kGarmentClasses; ++label) {
    const int64_t of_class = (count + kGarmentClasses - 1 - label) / kGarmentClasses;
    drawn[static_cast<size_t>(label)] = draw_garments(
        garments, label, of_class,
        Random(seed, RandomPurpose::kDataset, train ? kTrainOrder : kTestOrder, label));
  }
  std::vector<FashionPlan> plans(static_cast<size_t>(count));
  for (size_t i = 0; i < plans.size(); ++i) {
    Random random(seed, RandomPurpose::kDataset, train ? kTrainScene : kTestScene, i);
    FashionPlan& plan = plans[i];
    plan.label = static_cast<int>(i % kGarmentClasses);
    plan.garment = drawn[static_cast<size_t>(plan.label)][i / kGarmentClasses];
    plan.side =
        kLeastGarmentSide + static_cast<int>(random.below(kGarmentSide - kLeastGarmentSide + 1));
    plan.x =
        static_cast<int>(random.below(static_cast<uint64_t>(kFashionImageSide - plan.side + 1)));
    plan.y =
        static_cast<int>(random.below(static_cast<uint64_t>(kFashionImageSide - plan.side + 1)));
    plan.background = draw_crop(sources.photographs, draw_photograph(plan.label, random), region,
                                kFashionImageSide, random);
  }
  return plans;
}

MixedSources plan_mixed(const std::vector<FashionPlan>& plans, uint64_t seed) {
  MixedSources mixed;
  for (size_t i = 0; i < plans.size(); ++i) {
    Random random(seed, RandomPurpose::kDataset, kMixed, i);
    const auto self = static_cast<int64_t>(i);
    const int label = plans[i].label;
    mixed.same.push_back(draw_other(plans, self, label, random));
    const int any = static_cast<int>(random.below(kGarmentClasses));
    mixed.rand.push_back(draw_other(plans, self, any, random));
    mixed.next.push_back(draw_other(plans, self, (label + 1) % kGarmentClasses, random));
  }
  return mixed;
}

}  // namespace remixer::data
