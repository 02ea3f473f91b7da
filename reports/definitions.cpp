#include "reports/definitions.h"

namespace remixer::reports {

namespace {

std::vector<ColumnDefinition> background_challenge() {
  return {{"original", "Original", "original", "", false},
          {"only_bg_b", "Only-BG-B", "only_bg_b", "", true},
          {"only_bg_t", "Only-BG-T", "only_bg_t", "", true},
          {"mixed_same", "Mixed-Same", "mixed_same", "", false},
          {"mixed_rand", "Mixed-Rand", "mixed_rand", "", false},
          {"bg_gap", "BG-Gap", "mixed_same", "mixed_rand", true}};
}

std::vector<ColumnDefinition> shifted_imagenet_9() {
  return {{"imagenetv2_9", "ImageNetV2-9", "imagenetv2_9", "", false},
          {"real_9", "ReaL-9", "real_9", "", false},
          {"rendition_9", "Rendition-9", "rendition_9", "", false},
          {"stylized_9", "Stylized-9", "stylized_9", "", false},
          {"sketch_9", "Sketch-9", "sketch_9", "", false}};
}

std::vector<ColumnDefinition> remaining_variants() {
  return {{"no_fg", "No-FG", "no_fg", "", true},
          {"only_fg", "Only-FG", "only_fg", "", false},
          {"mixed_next", "Mixed-Next", "mixed_next", "", false}};
}

BlockDefinition plain_and_remixer(std::string label, std::string family, std::string kernel = "",
                                  std::string prior = "none") {
  return {std::move(label),
          {{family, kernel, prior, Labels::kPlain}, {family, kernel, prior, Labels::kWithRemixer}}};
}

std::vector<BlockDefinition> architectures() {
  return {plain_and_remixer("DeiT", "deit"), plain_and_remixer("MLP-Mixer", "mixer"),
          plain_and_remixer("ConvMixer", "convmixer", "shared"), plain_and_remixer("", "")};
}

std::vector<TableDefinition> make_definitions() {
  return {
      {"1",
       "Background Challenge",
       "Accuracy on the Background Challenge, with and without ReMixer. Only-BG-B and Only-BG-T "
       "show "
       "no object, so a lower figure means less reliance on backgrounds; BG-Gap is Mixed-Same − "
       "Mixed-Rand.",
       architectures(),
       {background_challenge()},
       false,
       false},
      {"2",
       "Object labels beside a spatial prior",
       "ReMixer's object labels and ConViT's positional attention, apart and together.",
       {plain_and_remixer("DeiT", "deit"), plain_and_remixer("ConViT", "deit", "", "convit")},
       {background_challenge()},
       true,
       true},
      {"3",
       "Shifted evaluation sets",
       "Accuracy where the images differ from those trained on. In No-FG the object is blacked out "
       "and "
       "only its outline is left; Mixed-Next shows it on the background of another class.",
       architectures(),
       {shifted_imagenet_9(), remaining_variants()},
       false,
       false},
      {"7",
       "The convolution's kernel",
       "ConvMixer with one kernel shared by all channels, with a kernel of each channel's own, and "
       "with the shared kernel under ReMixer.",
       {{"ConvMixer",
         {{"convmixer", "shared", "none", Labels::kPlain},
          {"convmixer", "full", "none", Labels::kPlain},
          {"convmixer", "shared", "none", Labels::kWithRemixer}}}},
       {background_challenge()},
       true,
       false},
  };
}

}  // namespace

const std::vector<TableDefinition>& table_definitions() {
  static const std::vector<TableDefinition> definitions = make_definitions();
  return definitions;
}

}  // namespace remixer::reports
