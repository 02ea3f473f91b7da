// SPDX-License-Identifier: Apache-2.0
#include "core/models/published_weights.h"

#include "base/error.h"
#include "base/nearest_name.h"

namespace remixer::models {
namespace {

using Three = std::array<float, 3>;
constexpr Three kMean = {0.485f, 0.456f, 0.406f}, kDeviation = {0.229f, 0.224f, 0.225f};
constexpr Three kHalves = {0.5f, 0.5f, 0.5f}, kZeros = {0, 0, 0}, kOnes = {1, 1, 1};

// With ImageNet's pixel statistics, bicubic.
PublishedWeights usual(const std::string& name, double crop) {
  return {name, name, kMean, kDeviation, crop, "bicubic"};
}

}  // namespace

const std::vector<PublishedWeights>& published_weights() {
  static const std::vector<PublishedWeights> all{
      usual("deit_tiny_patch16_224", 0.9),
      usual("deit_small_patch16_224", 0.9),
      usual("deit_base_patch16_224", 0.9),
      usual("deit_base_patch16_384", 1.0),
      usual("convit_tiny", 0.875),
      usual("convit_small", 0.875),
      usual("convit_base", 0.875),
      usual("convmixer_768_32", 0.96),
      usual("convmixer_1024_20_ks9_p14", 0.96),
      usual("convmixer_1536_20", 0.96),
      {"mixer_s16_224", "mixer_s16_224", kHalves, kHalves, 0.875, "bicubic"},
      {"mixer_b16_224", "mixer_b16_224", kHalves, kHalves, 0.875, "bicubic"},
      {"mixer_b16_224_miil", "mixer_b16_224", kZeros, kOnes, 0.875, "bilinear"},
  };
  return all;
}

PublishedWeights find_published(const std::string& architecture, int64_t image_size,
                                const std::string& file_name, const std::string& checkpoint) {
  // Prefer the longest name contained in the file's name.
  const PublishedWeights* found = nullptr;
  std::vector<std::string> names;
  for (const PublishedWeights& weights : published_weights()) {
    names.push_back(weights.name);
    if (!checkpoint.empty() && weights.name == checkpoint) {
      if (weights.architecture == architecture) return weights;
      fail_input("checkpoint '{}' is of architecture '{}', not of '{}'", checkpoint,
                 weights.architecture, architecture);
    }
    if (weights.architecture != architecture) continue;
    const bool named = file_name.find(weights.name) != std::string::npos;
    if (!found || (named && weights.name.size() > found->name.size())) found = &weights;
  }
  if (!checkpoint.empty()) fail_input("{}", unknown_name("checkpoint", checkpoint, names));
  PublishedWeights weights = found ? *found : usual(architecture, 0.875);
  if (architecture == "deit_base_patch16_224" && image_size == 384) weights.crop = 1.0;
  return weights;
}

}  // namespace remixer::models
