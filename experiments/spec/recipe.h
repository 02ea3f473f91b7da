// SPDX-License-Identifier: Apache-2.0
// How a model is trained. Part of a cell's identity: each field can change the result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace remixer::experiments {

struct Recipe {
  // Raised when code changes what the same fields mean.
  static constexpr int64_t kVersion = 1;

  int64_t version = kVersion;  // of the code that this recipe was written for
  int64_t epochs = 300;
  // A global batch is `shards` shards of `shard_size` images. Batch-norm statistics and Mixup's
  // pairing and λ are per shard; running statistics are shard 0's.
  int64_t shards = 4;
  int64_t shard_size = 64;

  // AdamW. The rate used is learning_rate · shards · shard_size / learning_rate_batch; with
  // learning_rate_batch = 0 it is learning_rate itself.
  double learning_rate = 5e-4;
  int64_t learning_rate_batch = 512;
  // κ's own rate, not scaled; without a value κ follows the model's rate.
  std::optional<double> kappa_lr;
  double weight_decay = 0.05;  // none on biases, norms, position embeddings, [CLS] and κ
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double clip_gradient = 0;  // largest global L2 norm; 0: no clipping

  // Cosine decay from the rate to min_rate after a linear warm-up from warmup_rate. κ's rate
  // follows the same curve in proportion.
  double warmup_epochs = 5;
  double warmup_rate = 1e-6;
  double min_rate = 1e-5;
  // How often the rate moves: "epoch", "step", or "released": once an epoch, but one epoch late, as
  // DeiT's released code does it (its epochs 0 and 1 both run at warmup_rate).
  std::string schedule_unit = "epoch";

  double label_smoothing = 0.1;
  double mixup = 0.8, cutmix = 1.0;  // Beta's parameters; 0 turns each off
  double mix_probability = 1.0, mix_switch = 0.5;
  double horizontal_flip = 0.5;
  double drop_path = 0.1;
  double ema_decay = 0;  // 0: no moving average is kept

  // The fields below came later and are left out of the JSON at the values that they have here.

  // Pixels a side of what the model sees; 0: the dataset's own size, or the architecture's where
  // the dataset's images are of many sizes.
  int64_t image_size = 0;
  // RandomResizedCrop: a part of the image of random area and aspect ratio, resized. Without it an
  // image of the model's size is taken as it is, and any other as evaluation sees it.
  bool random_resized_crop = false;
  double crop_area_low = 0.08, crop_area_high = 1;             // shares of the image's area
  double crop_ratio_low = 3.0 / 4, crop_ratio_high = 4.0 / 3;  // width / height
  std::string rand_augment = "none";  // or a policy as timm writes it: "rand-m9-mstd0.5-inc1"
  double random_erasing = 0;          // how often a rectangle is replaced by noise
  // How often an image stands in an epoch's order, each time augmented anew; the epoch is cut off
  // after as many images as the split has, in whole 256s.
  int64_t repeated_augmentation = 1;
  // Evaluation resizes an image's shorter side to image size / evaluation_crop, cut off, and takes
  // the centre; images of the model's size stay as they are.
  double evaluation_crop = 0.875;
  // An image that cannot be read stops the run; else it is named, counted and replaced by another.
  bool strict_images = false;

  // The fraction of the training images, chosen by the seed, that is never trained on but measured
  // after every epoch: the weights of the best epoch are kept as well. 0: none.
  double hold_out = 0;
  // TokenLabeling: every patch is classified too, by an extra head, its patch labels the target.
  //   "oamixer"   as OAMixer's released code: the image's target is its class, [CLS] alone is
  //   evaluated "original"  as Jiang et al.: the image's target is its pooled labels, MixToken
  //   stands in place of
  //               Mixup and CutMix, and evaluation adds half of the patches' largest logits
  std::string token_labeling = "none";
  // Weight of the patches' loss beside the image's; without a value 0.5 (oamixer), 1 (original).
  std::optional<double> token_weight;
  // What Mixup and CutMix blend of labels over classes (ReLabel's): "probabilities", or "logits" as
  // OAMixer's released code does. Saliency is blended as it is.
  std::string label_mix = "probabilities";
  // Where CutMix's box is drawn for labels over classes: among "pixels", a patch's labels being
  // blended by the share of it that is covered, or as OAMixer's released code does among "patches",
  // all of a patch changing over. Saliency, and a plain model, know pixels alone.
  std::string cutmix_box = "pixels";
  // What labels over classes say where an image is erased: nothing, as of "background", or what
  // stood there before, as in OAMixer's released code ("kept"). Saliency is 0 in both.
  std::string erased_labels = "background";

  bool operator==(const Recipe&) const = default;
};

// The fields above. Those that were added later are left out at the value that keeps the old
// behaviour, so that old identities stay; recipe_from_json() gives them that value.
Json to_json(const Recipe& recipe);
// Throws InputError naming the field: missing, unknown, of a wrong type, out of range, or in
// contradiction to another.
Recipe recipe_from_json(const Json& json);

// The fields that a grid file may set, in the order above (all but the version).
std::vector<std::string> recipe_field_names();
// Sets one of them. Throws InputError as recipe_from_json does, but for contradictions.
void set_recipe_field(Recipe& recipe, const std::string& name, const Json& value);
// Throws InputError where fields contradict each other.
void check_recipe(const Recipe& recipe);

}  // namespace remixer::experiments
