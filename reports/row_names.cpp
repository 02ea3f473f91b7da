#include "reports/row_names.h"

#include <array>

namespace remixer::reports {

namespace {

struct KnownModel {
  std::string_view architecture, label, family, size, kernel, prior;
};
constexpr auto kModels = std::to_array<KnownModel>({
    {"deit_nano_patch4_32", "DeiT-nano", "deit", "nano", "", "none"},
    {"deit_tiny_patch16_224", "DeiT-Ti", "deit", "tiny", "", "none"},
    {"deit_small_patch16_224", "DeiT-S", "deit", "small", "", "none"},
    {"deit_base_patch16_224", "DeiT-B", "deit", "base", "", "none"},
    {"deit_small_convit", "DeiT-S, ConViT", "deit", "small", "", "convit"},
    {"convit_tiny", "ConViT-Ti", "convit", "tiny", "", "convit"},
    {"convit_small", "ConViT-S", "convit", "small", "", "convit"},
    {"convit_base", "ConViT-B", "convit", "base", "", "convit"},
    {"mixer_nano_patch4_32", "Mixer-nano", "mixer", "nano", "", "none"},
    {"mixer_s16_224", "Mixer-S/16", "mixer", "s16", "", "none"},
    {"mixer_b16_224", "Mixer-B/16", "mixer", "b16", "", "none"},
    {"convmixer_nano_patch4_32", "ConvMixer-nano", "convmixer", "nano", "shared", "none"},
    {"convmixer_nano_patch4_32_full", "ConvMixer-nano, full kernel", "convmixer", "nano", "full",
     "none"},
    {"convmixer_512_8", "ConvMixer-512/8", "convmixer", "512_8", "shared", "none"},
    {"convmixer_512_8_full", "ConvMixer-512/8, full kernel", "convmixer", "512_8", "full", "none"},
});

struct KnownLabeler {
  std::string_view name, label;
  bool test_time_boxes;
};
constexpr auto kLabelers = std::to_array<KnownLabeler>({
    {"none", "", false},
    {"bigbigan", "BigBiGAN", false},
    {"saliency", "Saliency", false},
    {"relabel", "ReLabel", false},
    {"bbox_grabcut", "Bbox+GrabCut", true},
});

}  // namespace

ModelName model_name(std::string_view architecture, std::string_view spatial_prior) {
  ModelName name;
  name.order = static_cast<int>(kModels.size());
  name.label = name.family = architecture;
  name.prior = spatial_prior;
  for (size_t i = 0; i < kModels.size(); ++i) {
    const KnownModel& known = kModels[i];
    if (known.architecture != architecture) continue;
    name.known = true;
    name.order = static_cast<int>(i);
    name.label = known.label;
    name.family = known.family;
    name.size = known.size;
    name.kernel = known.kernel;
    if (known.prior != "none") {
      name.prior = known.prior;
      return name;  // its label says so already
    }
  }
  if (spatial_prior == "convit") {
    name.label += ", ConViT";
  } else if (spatial_prior != "none" && !spatial_prior.empty()) {
    name.label += ", " + std::string(spatial_prior);
  }
  return name;
}

LabelerName labeler_name(std::string_view labeler) {
  for (size_t i = 0; i < kLabelers.size(); ++i) {
    if (kLabelers[i].name == labeler) {
      return {std::string(kLabelers[i].label), kLabelers[i].test_time_boxes, static_cast<int>(i)};
    }
  }
  return {std::string(labeler), false, static_cast<int>(kLabelers.size())};
}

}  // namespace remixer::reports
