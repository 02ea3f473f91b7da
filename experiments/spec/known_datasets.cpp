// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/known_datasets.h"

namespace remixer::experiments {
namespace {

using Splits = std::vector<std::pair<std::string, int64_t>>;

constexpr const char* kImageNet =
    "ImageNet (ILSVRC 2012), after registration at image-net.org, or Kaggle's 'ImageNet Object "
    "Localization Challenge'";
constexpr const char* kV2 = "the repository modestyachts/ImageNetV2 (matched frequency)";
constexpr const char* kReal = "real.json of the repository google-research/reassessed-imagenet";
constexpr const char* kRendition = "the repository hendrycks/imagenet-r";
constexpr const char* kStylized =
    "made of ImageNet by the code of the repository rgeirhos/Stylized-ImageNet";
constexpr const char* kSketch = "the repository HaohanWang/ImageNet-Sketch";
constexpr const char* kChallenge =
    "the repository MadryLab/backgrounds_challenge (release of the test sets)";

Splits challenge_splits(int64_t train, int64_t each) {
  Splits splits;
  if (train > 0) splits.emplace_back("train", train);
  for (const char* set : {"original", "only_bg_b", "only_bg_t", "no_fg", "only_fg", "mixed_same",
                          "mixed_rand", "mixed_next"}) {
    splits.emplace_back(set, each);
  }
  return splits;
}

// Image counts as published; for nine-class sets, counts over ImageNet-9's 370 classes. The nine-
// class counts of ImageNet-R and Sketch are approximate: no published number exists.
std::vector<KnownDataset> make_sets() {
  return {
      {"imagenet9", challenge_splits(45405, 4050), 224, 9, 12, kImageNet,
       "remixer dataset build imagenet9 --from IMAGENET --boxes ANNOTATIONS"},
      {"background_challenge", challenge_splits(0, 4050), 224, 9, 3, kChallenge,
       "remixer dataset import background_challenge FOLDER"},
      {"imagenet",
       {{"train", 1281167}, {"val", 50000}},
       0,
       1000,
       145,
       kImageNet,
       "remixer dataset import imagenet FOLDER"},
      {"imagenet_9",
       {{"train", 474000}, {"val", 18500}},
       0,
       9,
       145,
       kImageNet,
       "remixer dataset import imagenet_9 FOLDER"},
      {"imagenetv2",
       {{"val", 10000}},
       0,
       1000,
       1.3,
       kV2,
       "remixer dataset import imagenetv2 FOLDER"},
      {"imagenetv2_9",
       {{"val", 3700}},
       0,
       9,
       1.3,
       kV2,
       "remixer dataset import imagenetv2_9 FOLDER"},
      {"real",
       {{"val", 46837}},
       0,
       1000,
       0.001,
       kReal,
       "remixer dataset import real IMAGENET --labels real.json"},
      {"real_9",
       {{"val", 17545}},
       0,
       9,
       0.001,
       kReal,
       "remixer dataset import real_9 IMAGENET --labels real.json"},
      {"rendition",
       {{"val", 30000}},
       0,
       200,
       2.2,
       kRendition,
       "remixer dataset import rendition FOLDER"},
      {"rendition_9",
       {{"val", 15000}},
       0,
       9,
       2.2,
       kRendition,
       "remixer dataset import rendition_9 FOLDER"},
      {"stylized",
       {{"train", 1281167}, {"val", 50000}},
       0,
       1000,
       140,
       kStylized,
       "remixer dataset import stylized FOLDER"},
      {"stylized_9",
       {{"val", 18500}},
       0,
       9,
       6,
       kStylized,
       "remixer dataset import stylized_9 FOLDER"},
      {"sketch", {{"val", 50889}}, 0, 1000, 8, kSketch, "remixer dataset import sketch FOLDER"},
      {"sketch_9", {{"val", 18800}}, 0, 9, 8, kSketch, "remixer dataset import sketch_9 FOLDER"},
  };
}

}  // namespace

const std::vector<KnownDataset>& known_datasets() {
  static const std::vector<KnownDataset> sets = make_sets();
  return sets;
}

const KnownDataset* find_known_dataset(std::string_view name) {
  for (const KnownDataset& set : known_datasets()) {
    if (set.name == name) return &set;
  }
  return nullptr;
}

}  // namespace remixer::experiments
