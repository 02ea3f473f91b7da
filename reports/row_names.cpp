// SPDX-License-Identifier: Apache-2.0
#include "reports/row_names.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace remixer::reports {

namespace {

struct KnownModel {
  std::string_view architecture, base, family, size, kernel, prior;
};
constexpr auto kModels = std::to_array<KnownModel>({
    {"deit_nano_patch4_32", "DeiT-nano", "deit", "nano", "", ""},
    {"deit_micro_patch8_64", "DeiT-micro", "deit", "micro", "", ""},
    {"deit_tiny_patch16_224", "DeiT-Ti", "deit", "tiny", "", ""},
    {"deit_small_patch16_224", "DeiT-S", "deit", "small", "", ""},
    {"deit_small_convit", "DeiT-S", "deit", "small", "", "convit"},
    {"deit_base_patch16_224", "DeiT-B", "deit", "base", "", ""},
    {"convit_tiny", "ConViT-Ti", "convit", "tiny", "", ""},
    {"convit_small", "ConViT-S", "convit", "small", "", ""},
    {"convit_base", "ConViT-B", "convit", "base", "", ""},
    {"mixer_nano_patch4_32", "MLP-Mixer-nano", "mixer", "nano", "", ""},
    {"mixer_micro_patch8_64", "MLP-Mixer-micro", "mixer", "micro", "", ""},
    {"mixer_s16_224", "MLP-Mixer-S/16", "mixer", "s16", "", ""},
    {"mixer_b16_224", "MLP-Mixer-B/16", "mixer", "b16", "", ""},
    {"convmixer_nano_patch4_32", "ConvMixer-nano", "convmixer", "nano", "shared", ""},
    {"convmixer_nano_patch4_32_full", "ConvMixer-nano", "convmixer", "nano", "full", ""},
    {"convmixer_micro_patch8_64", "ConvMixer-micro", "convmixer", "micro", "shared", ""},
    {"convmixer_micro_patch8_64_full", "ConvMixer-micro", "convmixer", "micro", "full", ""},
    {"convmixer_512_8", "ConvMixer-512/8", "convmixer", "512_8", "shared", ""},
    {"convmixer_512_8_full", "ConvMixer-512/8", "convmixer", "512_8", "full", ""},
});

struct KnownLabeler {
  std::string_view name, kind, label;
};
// By kind, the paper's labeler first. A label ending in '(' is completed by the network's name.
constexpr auto kLabelers = std::to_array<KnownLabeler>({
    {"bigbigan", "saliency", "BigBiGAN"},
    {"u2net", "saliency", "U²-Net"},
    {"saliency", "saliency", "U²-Netp"},
    {"script_saliency", "saliency", "Saliency ("},
    {"imported_masks", "saliency", "Imported masks ("},
    {"script_relabel", "class map", "ReLabel ("},
    {"imported_maps", "class map", "ReLabel ("},
    {"relabel", "class map", "ReLabel (EfficientNet-lite0)"},
    {"bbox_grabcut", "boxes", "Bbox+GrabCut"},
    {"masks", "masks", "True masks"},
});

// The network named in a grid's name for a labeler: the paper's annotator, or the name itself.
std::string network_name(const std::string& called) {
  std::string letters;
  for (unsigned char c : called) {
    if (std::isalnum(c)) letters += static_cast<char>(std::tolower(c));
  }
  return letters.find("nfnetf6") != std::string::npos ? "NFNet-F6" : called;
}

}  // namespace

std::string ModelName::whole() const {
  std::string name = base + (kernel == "full" ? "-Full" : "");
  if (prior == "convit") return name + " + ConViT";
  return prior.empty() || prior == "none" ? name : name + " + " + prior;
}

ModelName model_name(std::string_view architecture, std::string_view spatial_prior) {
  ModelName name;
  name.order = static_cast<int>(kModels.size());
  name.base = name.family = name.size = architecture;
  name.prior = spatial_prior.empty() ? "none" : spatial_prior;
  for (size_t i = 0; i < kModels.size(); ++i) {
    const KnownModel& known = kModels[i];
    if (known.architecture != architecture) continue;
    name.order = static_cast<int>(i);
    name.base = known.base;
    name.family = known.family;
    name.size = known.size;
    name.kernel = known.kernel;
    if (!known.prior.empty()) name.prior = known.prior;
  }
  return name;
}

std::vector<std::string> label_kinds() {
  return {"saliency", "class map", "boxes", "masks"};
}

LabelerName labeler_name(const Json& entry, const std::string& called) {
  if (!entry.is_object()) return {};
  const std::string name = entry.value("name", std::string());
  LabelerName result{"", called.empty() ? name : called, false,
                     static_cast<int>(kLabelers.size()) + 1};
  for (size_t i = 0; i < kLabelers.size(); ++i) {
    const KnownLabeler& known = kLabelers[i];
    if (known.name != name) continue;
    result.kind = known.kind;
    result.label = known.label;
    if (result.label.ends_with("(")) {
      const bool named = !called.empty() && called != name;
      result.label += (named ? network_name(called) : "own network") + ")";
    }
    result.test_time_boxes = known.kind == "boxes";
    result.order = static_cast<int>(i) + 1;
  }
  return result;
}

}  // namespace remixer::reports
