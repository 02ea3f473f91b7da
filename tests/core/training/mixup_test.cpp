// SPDX-License-Identifier: Apache-2.0
#include "core/training/mixup.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace remixer::training {
namespace {

// Two images of 8 × 8 pixels with 2 × 2 patches of 4 × 4 and two label channels; all values differ.
Batch batch() {
  Batch batch;
  batch.images = at::arange(2 * 3 * 64, at::kFloat).view({2, 3, 8, 8});
  batch.patch_labels = at::linspace(0, 1, 16).view({2, 4, 2}).contiguous();
  batch.classes = at::tensor({int64_t{0}, int64_t{2}});
  return batch;
}

TEST(MixTest, MixupBlendsImagesLabelsAndTargets) {
  Batch mixed = batch();
  const Batch before = batch();
  const at::Tensor targets = apply_mix({Mix::Kind::kMixup, 0.7, {}}, mixed, 2, 3, 0.3);
  for (int64_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(mixed.images[i][1][2][3].item<double>(),
                0.7 * before.images[i][1][2][3].item<double>() +
                    0.3 * before.images[1 - i][1][2][3].item<double>(),
                1e-4);
    for (int64_t patch = 0; patch < 4; ++patch) {
      EXPECT_NEAR(mixed.patch_labels[i][patch][1].item<double>(),
                  0.7 * before.patch_labels[i][patch][1].item<double>() +
                      0.3 * before.patch_labels[1 - i][patch][1].item<double>(),
                  1e-6);
    }
  }
  // Smoothed one-hot: 0.8 and 0.1.
  const double expected[2][3] = {{0.7 * 0.8 + 0.3 * 0.1, 0.1, 0.7 * 0.1 + 0.3 * 0.8},
                                 {0.7 * 0.1 + 0.3 * 0.8, 0.1, 0.7 * 0.8 + 0.3 * 0.1}};
  for (int64_t i = 0; i < 2; ++i) {
    for (int64_t c = 0; c < 3; ++c) EXPECT_NEAR(targets[i][c].item<double>(), expected[i][c], 1e-6);
  }
}

TEST(MixTest, CutMixPastesPixelsAndLabelsByCoveredArea) {
  Batch mixed = batch();
  const Batch before = batch();
  // Rows 2..6, columns 0..5: of the upper left patch 2 rows × 4 columns, of the upper right 2 × 1.
  const CutBox box{2, 0, 6, 5};
  const double weight = 1 - 20.0 / 64;
  const at::Tensor targets = apply_mix({Mix::Kind::kCutMix, weight, box}, mixed, 2, 3, 0);
  for (int64_t i = 0; i < 2; ++i) {
    for (int64_t y = 0; y < 8; ++y) {
      for (int64_t x = 0; x < 8; ++x) {
        const int64_t source = y >= 2 && y < 6 && x < 5 ? 1 - i : i;
        ASSERT_EQ(mixed.images[i][2][y][x].item<float>(),
                  before.images[source][2][y][x].item<float>());
      }
    }
    const double covered[] = {0.5, 0.125, 0.5, 0.125};
    for (int64_t patch = 0; patch < 4; ++patch) {
      for (int64_t k = 0; k < 2; ++k) {
        EXPECT_NEAR(mixed.patch_labels[i][patch][k].item<double>(),
                    (1 - covered[patch]) * before.patch_labels[i][patch][k].item<double>() +
                        covered[patch] * before.patch_labels[1 - i][patch][k].item<double>(),
                    1e-6);
      }
    }
  }
  EXPECT_NEAR(targets[0][0].item<double>(), weight, 1e-6);
  EXPECT_NEAR(targets[0][2].item<double>(), 1 - weight, 1e-6);
}

// As OAMixer's released code: logits are blended, the softmax comes afterwards.
TEST(MixTest, LabelsMayBeBlendedAsLogits) {
  const at::Tensor logits = at::randn({2, 4, 6}, at::kDouble) * 3;
  Batch mixed = batch();
  mixed.patch_labels = logits.softmax(2).to(at::kFloat);
  apply_mix({Mix::Kind::kMixup, 0.7, {}}, mixed, 2, 3, 0, LabelMix::kLogits);
  const at::Tensor wanted = (0.7 * logits + 0.3 * logits.flip(0)).softmax(2);
  EXPECT_LT((mixed.patch_labels - wanted).abs().max().item<double>(), 1e-6);
  // The upper row of patches changes over to the partner, the lower stays.
  Batch cut = batch();
  const int64_t side = cut.images.size(2);
  cut.patch_labels = logits.softmax(2).to(at::kFloat);
  apply_mix({Mix::Kind::kCutMix, 0.5, {0, 0, side / 2, side}}, cut, 2, 3, 0, LabelMix::kLogits);
  const at::Tensor moved = cut.patch_labels - logits.softmax(2).flip(0);
  EXPECT_LT(moved.slice(1, 0, 2).abs().max().item<double>(), 1e-6);
  EXPECT_GT(moved.slice(1, 2, 4).abs().max().item<double>(), 1e-3);
  // Saliency has one channel and no softmax.
  Batch saliency = batch(), plain = batch();
  for (Batch* each : {&saliency, &plain}) each->patch_labels = each->patch_labels.slice(2, 0, 1);
  apply_mix({Mix::Kind::kMixup, 0.7, {}}, saliency, 2, 3, 0, LabelMix::kLogits);
  apply_mix({Mix::Kind::kMixup, 0.7, {}}, plain, 2, 3, 0);
  EXPECT_TRUE(at::equal(saliency.patch_labels, plain.patch_labels));
}

TEST(MixTest, WithoutMixingOnlyTargetsAreSmoothed) {
  Batch plain = batch();
  const at::Tensor targets = apply_mix({}, plain, 2, 3, 0.1);
  EXPECT_TRUE(at::equal(plain.images, batch().images));
  EXPECT_TRUE(at::equal(plain.patch_labels, batch().patch_labels));
  EXPECT_NEAR(targets[1][2].item<double>(), 0.9 + 0.1 / 3, 1e-6);
  EXPECT_NEAR(targets.sum().item<double>(), 2, 1e-6);
}

TEST(DrawMixTest, BoxAndWeightAgree) {
  experiments::Recipe recipe;
  recipe.mixup = 0;
  double mean_area = 0;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    Random random(3, RandomPurpose::kMix, static_cast<uint64_t>(i));
    const Mix mix = draw_mix(recipe, 32, 32, random);
    ASSERT_EQ(mix.kind, Mix::Kind::kCutMix);
    ASSERT_GE(mix.box.top, 0);
    ASSERT_LE(mix.box.bottom, 32);
    const double area =
        static_cast<double>((mix.box.bottom - mix.box.top) * (mix.box.right - mix.box.left)) / 1024;
    ASSERT_NEAR(mix.weight, 1 - area, 1e-12);
    mean_area += area / kDraws;
  }
  // λ is uniform: half the image on average without clipping; clipping at the edge takes its part.
  EXPECT_GT(mean_area, 0.25);
  EXPECT_LT(mean_area, 0.45);
}

// As OAMixer's released code draws it for ReLabel's maps: on the grid of patches, by the same
// draws.
TEST(DrawMixTest, ABoxMayBeOfWholePatches) {
  experiments::Recipe recipe;
  recipe.mixup = 0;
  EXPECT_EQ(box_cells(recipe, 32, 8, 10), 32);
  recipe.cutmix_box = "patches";
  EXPECT_EQ(box_cells(recipe, 32, 8, 10), 8);
  EXPECT_EQ(box_cells(recipe, 32, 8, 1), 32) << "saliency";
  EXPECT_EQ(box_cells(recipe, 32, 8, 0), 32) << "a plain model";
  int boxes = 0;
  for (int i = 0; i < 200; ++i) {
    Random random(3, RandomPurpose::kMix, static_cast<uint64_t>(i)), same = random;
    const Mix mix = draw_mix(recipe, 32, 8, random);
    // timm's box of a picture of 8 x 8, written out.
    same.uniform();  // whether to mix at all
    const double lambda = same.beta(1, 1);
    const auto side = static_cast<int64_t>(8 * std::sqrt(1 - lambda));
    const auto y = static_cast<int64_t>(same.below(8)), x = static_cast<int64_t>(same.below(8));
    const auto edge = [](int64_t cell) { return 4 * std::clamp<int64_t>(cell, 0, 8); };
    EXPECT_EQ(mix.box, (CutBox{edge(y - side / 2), edge(x - side / 2), edge(y + side / 2),
                               edge(x + side / 2)}));
    const double area =
        static_cast<double>((mix.box.bottom - mix.box.top) * (mix.box.right - mix.box.left)) / 1024;
    EXPECT_NEAR(mix.weight, 1 - area, 1e-12);
    boxes += area > 0;
    // Every patch's labels change over or stay.
    Batch cut;
    cut.images = at::rand({2, 3, 32, 32});
    cut.patch_labels = at::rand({2, 64, 3}).softmax(2);
    cut.classes = at::tensor({int64_t{0}, int64_t{2}});
    const at::Tensor before = cut.patch_labels.clone();
    apply_mix(mix, cut, 8, 3, 0);
    const at::Tensor own = (cut.patch_labels - before).abs().amax(2),
                     partners = (cut.patch_labels - before.flip(0)).abs().amax(2);
    ASSERT_LT(at::minimum(own, partners).max().item<float>(), 1e-6);
  }
  EXPECT_GT(boxes, 100);
}

TEST(DrawMixTest, SwitchesAndProbabilitiesAreKept) {
  experiments::Recipe recipe;
  recipe.mix_probability = 0.8;
  recipe.mix_switch = 0.25;
  int none = 0, cut = 0;
  double weight = 0;
  for (int i = 0; i < 4000; ++i) {
    Random random(4, RandomPurpose::kMix, static_cast<uint64_t>(i));
    const Mix mix = draw_mix(recipe, 32, 32, random);
    none += mix.kind == Mix::Kind::kNone;
    cut += mix.kind == Mix::Kind::kCutMix;
    if (mix.kind == Mix::Kind::kMixup) weight += mix.weight;
  }
  EXPECT_NEAR(none / 4000.0, 0.2, 0.03);
  EXPECT_NEAR(cut / 4000.0, 0.2, 0.03);
  EXPECT_NEAR(weight / (4000 - none - cut), 0.5, 0.03);

  recipe.mixup = recipe.cutmix = 0;
  Random random(4, RandomPurpose::kMix);
  EXPECT_EQ(draw_mix(recipe, 32, 32, random).kind, Mix::Kind::kNone);
}

TEST(SoftCrossEntropyTest, EqualsThePlainSum) {
  const at::Tensor logits = at::tensor({1.0, -2.0, 0.5, 3.0, 0.0, 0.25}).view({2, 3});
  const at::Tensor targets = at::tensor({0.2, 0.5, 0.3, 0.0, 1.0, 0.0}).view({2, 3});
  double expected = 0;
  for (int64_t i = 0; i < 2; ++i) {
    double total = 0;
    for (int64_t c = 0; c < 3; ++c) total += std::exp(logits[i][c].item<double>());
    for (int64_t c = 0; c < 3; ++c) {
      expected -=
          targets[i][c].item<double>() * (logits[i][c].item<double>() - std::log(total)) / 2;
    }
  }
  EXPECT_NEAR(soft_cross_entropy(logits, targets).item<double>(), expected, 1e-6);
}

}  // namespace
}  // namespace remixer::training
