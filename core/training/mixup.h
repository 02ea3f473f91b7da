// SPDX-License-Identifier: Apache-2.0
// Mixup and CutMix of one shard, carrying the patch labels along, and soft targets.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "base/random.h"
#include "core/loading/loader.h"
#include "experiments/spec/recipe.h"

namespace remixer::training {

// Pixels, ends exclusive.
struct CutBox {
  int64_t top = 0, left = 0, bottom = 0, right = 0;
  bool operator==(const CutBox&) const = default;
};

// How to mix a shard: image i becomes weight · image i + (1 − weight) · its partner (Mixup), or
// takes the partner's pixels inside `box` (CutMix). The partner of i is B − 1 − i.
struct Mix {
  enum class Kind { kNone, kMixup, kCutMix } kind = Kind::kNone;
  double weight =
      1;  // of the image's own class in its target; for CutMix 1 − box area / image area
  CutBox box;
};

// Draws like timm in batch mode: whether to mix at all, which of the two if both are on,
// λ ~ Beta(α, α), and CutMix's box of side √(1−λ) around a uniform centre, clipped to the image.
// The box is drawn on a grid of box_cells × box_cells cells: image_size for single pixels, the
// patches per side for whole patches.
Mix draw_mix(const experiments::Recipe& recipe, int64_t image_size, int64_t box_cells,
             Random& random);
// The cells per side of the grid that the recipe draws CutMix's box on, for grid × grid patches
// whose labels have `label_channels` channels (0: no labels).
int64_t box_cells(const experiments::Recipe& recipe, int64_t image_size, int64_t grid,
                  int64_t label_channels);

// MixToken (Jiang et al. 2021) as a cut of whole patches: λ is uniform, and the box has side
// √(1−λ) · grid around a uniform patch. Patches are embedded separately, so exchanging their pixels
// exchanges their tokens.
Mix draw_mix_token(int64_t image_size, int64_t grid, Random& random);

// Blends targets [B, C] with their partners' by mix.weight.
at::Tensor mix_targets(const Mix& mix, const at::Tensor& targets);

// Logits whose softmax over the last dimension gives these probabilities (which sum to 1).
at::Tensor logits_of(const at::Tensor& probabilities);

// How patch labels with several channels (softmax probabilities) are blended: the probabilities
// themselves, or their logits, followed by the softmax.
enum class LabelMix { kProbabilities, kLogits };
LabelMix label_mix(const experiments::Recipe& recipe);

// Applies `mix` to the batch in place, patch labels included: Mixup blends the labels, CutMix
// blends each patch's by the fraction of its area that the box covers. Returns the soft targets
// [B, C]: one-hot with smoothing ε (1 − ε + ε/C and ε/C), blended by mix.weight.
at::Tensor apply_mix(const Mix& mix, Batch& batch, int64_t grid, int64_t num_classes,
                     double label_smoothing, LabelMix labels = LabelMix::kProbabilities);

// Mean over the batch of −Σ_c targets·log softmax(logits); both [B, C].
at::Tensor soft_cross_entropy(const at::Tensor& logits, const at::Tensor& targets);

}  // namespace remixer::training
