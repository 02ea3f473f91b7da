// SPDX-License-Identifier: Apache-2.0
// A training recipe. Part of a cell's identity: each field can change the result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace remixer::experiments {

// Repeated augmentation cuts an epoch to whole rounds of this many images, unless the split has
// fewer (timm's RASampler).
constexpr int64_t kAugmentationRound = 256;

struct Recipe {
  // Raised when code changes the meaning of the same fields.
  static constexpr int64_t kVersion = 1;

  int64_t version = kVersion;  // code version that this recipe was written for
  int64_t epochs = 300;
  // A global batch is `shards` shards of `shard_size` images. Batch-norm statistics and Mixup's
  // pairing and λ are per shard; running statistics are shard 0's.
  int64_t shards = 4;
  int64_t shard_size = 64;

  // AdamW. The rate used is learning_rate · shards · shard_size / learning_rate_batch; with
  // learning_rate_batch = 0 it is learning_rate itself.
  double learning_rate = 5e-4;
  int64_t learning_rate_batch = 512;
  // κ's own rate, not scaled; if not set, κ uses the model's rate.
  std::optional<double> kappa_lr;
  double weight_decay = 0.05;  // none on biases, norms, position embeddings, [CLS] and κ
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double clip_gradient = 0;  // largest global L2 norm; 0: no clipping

  // Cosine decay from the rate to min_rate after a linear warm-up from warmup_rate. κ's rate
  // follows the same curve in proportion.
  double warmup_epochs = 5;
  double warmup_rate = 1e-6;
  double min_rate = 1e-5;
  // How often the rate changes: "epoch", "step", or "released": once an epoch but one epoch late,
  // as in DeiT's released code (its epochs 0 and 1 both run at warmup_rate).
  std::string schedule_unit = "epoch";

  double label_smoothing = 0.1;
  double mixup = 0.8, cutmix = 1.0;  // Beta's parameters; 0 turns each off
  double mix_probability = 1.0, mix_switch = 0.5;
  double horizontal_flip = 0.5;
  double drop_path = 0.1;
  double ema_decay = 0;  // 0: no moving average is kept

  // The fields below were added later and are left out of the JSON at their default values here.

  // Pixels a side of the model's input; 0: the dataset's own size, or the architecture's if the
  // dataset's images vary in size.
  int64_t image_size = 0;
  // RandomResizedCrop: a crop of random area and aspect ratio, resized. If off, an image of the
  // model's size is used unchanged, and any other is transformed as in evaluation.
  bool random_resized_crop = false;
  double crop_area_low = 0.08, crop_area_high = 1;             // shares of the image's area
  double crop_ratio_low = 3.0 / 4, crop_ratio_high = 4.0 / 3;  // width / height
  std::string rand_augment = "none";  // or a policy in timm's notation: "rand-m9-mstd0.5-inc1"
  double random_erasing = 0;          // probability of replacing a rectangle by noise
  // How often an image appears in an epoch's order, augmented anew each time; the epoch is cut to
  // the number of images in the split, in whole rounds.
  int64_t repeated_augmentation = 1;
  // Evaluation resizes an image's shorter side to image size / evaluation_crop, truncated, and
  // takes the centre; images of the model's size stay unchanged.
  double evaluation_crop = 0.875;
  // If true, an unreadable image stops the run; else it is reported, counted and replaced.
  bool strict_images = false;

  // Fraction of the training images, chosen by the seed, that is not trained on but evaluated after
  // every epoch; the best epoch's weights are kept as well. 0: none.
  double hold_out = 0;
  // TokenLabeling: an extra head also classifies every patch, with the patch labels as targets.
  //   "oamixer": as in OAMixer's released code: the image's target is its class, and only [CLS] is
  //   evaluated
  //   "original": as Jiang et al.: the image's target is its pooled labels, MixToken replaces Mixup
  //   and CutMix, and evaluation adds half of the patches' largest logits
  std::string token_labeling = "none";
  // Weight of the patches' loss beside the image's; if not set 0.5 (oamixer), 1 (original).
  std::optional<double> token_weight;
  // What Mixup and CutMix blend for labels over classes (ReLabel's): "probabilities", or "logits"
  // as OAMixer's released code does. Saliency is blended directly.
  std::string label_mix = "probabilities";
  // How CutMix's box is drawn for labels over classes: on "pixels", blending a patch's labels by
  // the share of it that is covered; or on "patches", as in OAMixer's released code, replacing
  // whole patches. Saliency and plain models support only pixels.
  std::string cutmix_box = "pixels";
  // Labels over classes in erased areas: "background" (no information), or "kept" (those from
  // before erasing), as in OAMixer's released code. Saliency is 0 in both.
  std::string erased_labels = "background";

  bool operator==(const Recipe&) const = default;
};

// The fields above. Fields added later are left out at the value that keeps the old behaviour, so
// that old identities stay the same; recipe_from_json() gives them that value.
Json to_json(const Recipe& recipe);
// Throws InputError naming the field: missing, unknown, of a wrong type, out of range, or
// contradicting another.
Recipe recipe_from_json(const Json& json);

// The fields that a grid file may set, in the order above (all but the version).
std::vector<std::string> recipe_field_names();
// Sets one of them. Throws InputError as recipe_from_json, except for contradictions.
void set_recipe_field(Recipe& recipe, const std::string& name, const Json& value);
// Throws InputError if fields contradict each other.
void check_recipe(const Recipe& recipe);

// Of a split of `images`, those that an epoch trains on, before it is cut into batches.
int64_t epoch_images(const Recipe& recipe, int64_t images);

}  // namespace remixer::experiments
