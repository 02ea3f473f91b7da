// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/paper_recipe.h"

#include <fmt/ranges.h>

#include <vector>

#include "base/amount_text.h"

namespace remixer::experiments {

Recipe paper_recipe() {
  Recipe recipe;
  recipe.random_resized_crop = true;
  recipe.rand_augment = "rand-m9-mstd0.5-inc1";
  recipe.random_erasing = 0.25;
  recipe.repeated_augmentation = 3;
  return recipe;
}

std::string recipe_text(const Recipe& recipe) {
  std::vector<std::string> on{fmt::format("{} of {} x {} images", counted(recipe.epochs, "epoch"),
                                          recipe.shards, recipe.shard_size)};
  const auto add = [&](bool is_on, std::string text) {
    if (is_on) on.push_back(std::move(text));
  };
  add(recipe.random_resized_crop, "RandomResizedCrop");
  add(recipe.rand_augment != "none", recipe.rand_augment);
  add(recipe.random_erasing > 0, fmt::format("erasing {:g}", recipe.random_erasing));
  add(recipe.repeated_augmentation > 1,
      fmt::format("repeated augmentation {}", recipe.repeated_augmentation));
  add(recipe.horizontal_flip > 0, fmt::format("flip {:g}", recipe.horizontal_flip));
  const bool mixes = recipe.mix_probability > 0;
  add(mixes && recipe.mixup > 0, fmt::format("Mixup {:g}", recipe.mixup));
  add(mixes && recipe.cutmix > 0, fmt::format("CutMix {:g}", recipe.cutmix));
  add(recipe.label_mix != "probabilities", "ReLabel mixed as " + recipe.label_mix);
  add(recipe.cutmix_box != "pixels", "ReLabel cut by whole " + recipe.cutmix_box);
  add(recipe.erased_labels != "background", "ReLabel " + recipe.erased_labels + " under erasing");
  add(recipe.label_smoothing > 0, fmt::format("label smoothing {:g}", recipe.label_smoothing));
  add(recipe.drop_path > 0, fmt::format("stochastic depth {:g}", recipe.drop_path));
  add(recipe.ema_decay > 0, fmt::format("EMA {:g}", recipe.ema_decay));
  add(recipe.token_labeling != "none", "TokenLabeling (" + recipe.token_labeling + ")");
  add(recipe.hold_out > 0, fmt::format("{:g} of the images held out", recipe.hold_out));
  add(recipe.clip_gradient > 0, fmt::format("gradients clipped at {:g}", recipe.clip_gradient));
  Recipe same = recipe;
  same.epochs = paper_recipe().epochs;
  return fmt::format("{}{}", fmt::join(on, ", "),
                     same == paper_recipe() ? " (the paper's)"
                     : recipe.random_resized_crop || recipe.rand_augment != "none"
                         ? ""
                         : "; no augmentation of images");
}

}  // namespace remixer::experiments
