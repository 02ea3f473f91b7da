// SPDX-License-Identifier: Apache-2.0
#include "core/training/mixup.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>

#include <algorithm>
#include <cmath>

#include "core/layers/basic.h"

namespace remixer::training {
namespace {

// [grid · grid, 1], on like's device: the fraction of each patch's area that the box covers.
at::Tensor covered_fraction(const CutBox& box, int64_t grid, int64_t image_size,
                            const at::Tensor& like) {
  const double patch = static_cast<double>(image_size) / static_cast<double>(grid);
  const auto overlap = [&](int64_t index, int64_t begin, int64_t end) {
    const double low = std::max(static_cast<double>(begin), static_cast<double>(index) * patch);
    const double high = std::min(static_cast<double>(end), static_cast<double>(index + 1) * patch);
    return std::max(0.0, high - low) / patch;
  };
  at::Tensor fraction = layers::host_buffer({grid * grid, 1}, like.device());
  auto* out = fraction.data_ptr<float>();
  for (int64_t row = 0; row < grid; ++row) {
    for (int64_t column = 0; column < grid; ++column) {
      *out++ = static_cast<float>(overlap(row, box.top, box.bottom) *
                                  overlap(column, box.left, box.right));
    }
  }
  return layers::sent(fraction, like);
}

// The box of side √(1−λ) around a centre, on an image of `cells` × `cells` cells, clipped to the
// image.
CutBox draw_box(double lambda, int64_t cells, Random& random) {
  const auto side = static_cast<int64_t>(static_cast<double>(cells) * std::sqrt(1 - lambda));
  const auto y = static_cast<int64_t>(random.below(static_cast<uint64_t>(cells)));
  const auto x = static_cast<int64_t>(random.below(static_cast<uint64_t>(cells)));
  const auto clip = [&](int64_t value) { return std::clamp<int64_t>(value, 0, cells); };
  return {clip(y - side / 2), clip(x - side / 2), clip(y + side / 2), clip(x + side / 2)};
}

CutBox in_pixels(const CutBox& cells, int64_t cell) {
  return {cells.top * cell, cells.left * cell, cells.bottom * cell, cells.right * cell};
}

double area_outside(const CutBox& box, int64_t cells) {
  const int64_t area = (box.bottom - box.top) * (box.right - box.left);
  return 1 - static_cast<double>(area) / static_cast<double>(cells * cells);
}

// Patch labels [B, N, K] and their partners', converted to the form that is blended.
struct Blended {
  Blended(LabelMix mix, const at::Tensor& labels)
      : logits(mix == LabelMix::kLogits && labels.size(2) > 1) {
    own = logits ? logits_of(labels) : labels;
    partners = own.flip(0);
  }
  at::Tensor labels(const at::Tensor& blend) const { return logits ? blend.softmax(2) : blend; }

  bool logits;
  at::Tensor own, partners;
};

}  // namespace

int64_t box_cells(const experiments::Recipe& recipe, int64_t image_size, int64_t grid,
                  int64_t label_channels) {
  return recipe.cutmix_box == "patches" && label_channels > 1 ? grid : image_size;
}

Mix draw_mix(const experiments::Recipe& recipe, int64_t image_size, int64_t box_cells,
             Random& random) {
  Mix mix;
  if ((recipe.mixup <= 0 && recipe.cutmix <= 0) || random.uniform() >= recipe.mix_probability) {
    return mix;
  }
  const bool cut = recipe.cutmix > 0 && (recipe.mixup <= 0 || random.uniform() < recipe.mix_switch);
  const double alpha = cut ? recipe.cutmix : recipe.mixup;
  mix.weight = random.beta(alpha, alpha);
  mix.kind = cut ? Mix::Kind::kCutMix : Mix::Kind::kMixup;
  if (!cut) return mix;
  const CutBox cells = draw_box(mix.weight, box_cells, random);
  mix.weight = area_outside(cells, box_cells);
  mix.box = in_pixels(cells, image_size / box_cells);
  return mix;
}

Mix draw_mix_token(int64_t image_size, int64_t grid, Random& random) {
  const CutBox patches = draw_box(random.uniform(), grid, random);
  return {Mix::Kind::kCutMix, area_outside(patches, grid), in_pixels(patches, image_size / grid)};
}

at::Tensor mix_targets(const Mix& mix, const at::Tensor& targets) {
  if (mix.kind == Mix::Kind::kNone) return targets;
  return targets * mix.weight + targets.flip(0) * (1 - mix.weight);
}

// The logarithms equal the logits up to a constant, which the softmax removes.
at::Tensor logits_of(const at::Tensor& probabilities) {
  constexpr double kSmallest = 1e-37;  // where float32 underflows
  return probabilities.clamp_min(kSmallest).log();
}

LabelMix label_mix(const experiments::Recipe& recipe) {
  return recipe.label_mix == "logits" ? LabelMix::kLogits : LabelMix::kProbabilities;
}

at::Tensor apply_mix(const Mix& mix, Batch& batch, int64_t grid, int64_t num_classes,
                     double label_smoothing, LabelMix labels) {
  at::NoGradGuard no_grad;
  const double off = label_smoothing / static_cast<double>(num_classes);
  at::Tensor targets = at::full({batch.classes.size(0), num_classes}, off,
                                batch.classes.options().dtype(at::kFloat));
  targets.scatter_(1, batch.classes.unsqueeze(1), 1 - label_smoothing + off);
  if (mix.kind == Mix::Kind::kNone) return targets;

  targets = mix_targets(mix, targets);
  if (mix.kind == Mix::Kind::kMixup) {
    batch.images = batch.images * mix.weight + batch.images.flip(0) * (1 - mix.weight);
    if (batch.patch_labels.defined()) {
      const Blended blended(labels, batch.patch_labels);
      batch.patch_labels =
          blended.labels(blended.own * mix.weight + blended.partners * (1 - mix.weight));
    }
    return targets;
  }
  const auto inside = [&](const at::Tensor& images) {
    return images.slice(2, mix.box.top, mix.box.bottom).slice(3, mix.box.left, mix.box.right);
  };
  const at::Tensor pasted = inside(batch.images).flip(0);
  inside(batch.images).copy_(pasted);
  if (batch.patch_labels.defined()) {
    const at::Tensor fraction =
        covered_fraction(mix.box, grid, batch.images.size(2), batch.patch_labels);
    const Blended blended(labels, batch.patch_labels);
    batch.patch_labels = blended.labels(blended.own + fraction * (blended.partners - blended.own));
  }
  return targets;
}

at::Tensor soft_cross_entropy(const at::Tensor& logits, const at::Tensor& targets) {
  return -(targets * at::log_softmax(logits, 1)).sum() / logits.size(0);
}

}  // namespace remixer::training
