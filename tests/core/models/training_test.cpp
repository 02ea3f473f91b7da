// SPDX-License-Identifier: Apache-2.0
// What differs between training and evaluation: batch statistics, running averages, drop path.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "core/layers/basic.h"
#include "tests/core/kernels/numeric.h"
#include "tests/core/models/plain_model.h"

namespace remixer::models {
namespace {

using remixer::testing::difference;
using remixer::testing::Draw;
using remixer::testing::random_model;
using remixer::testing::small_spec;

at::Tensor buffer(const Model& model, const std::string& name) {
  for (const auto& [candidate, tensor] : model.buffers()) {
    if (candidate == name) return tensor;
  }
  ADD_FAILURE() << "no buffer " << name;
  return {};
}

TEST(BatchNorm, RunningStatisticsMoveOnlyWhenAsked) {
  const auto model = random_model(small_spec("convmixer_nano_patch4_32", false));
  const at::Tensor images = Draw(71).normal({4, 3, 12, 12});
  const at::Tensor mean = buffer(*model, "blocks.1.3.running_mean"), before = mean.clone();
  const at::Tensor training = model->forward(images, {}, {.training = true});
  EXPECT_TRUE(at::equal(mean, before));
  EXPECT_GT(difference(training, model->forward(images, {}, {})), 1e-3);
  model->forward(images, {}, {.training = true, .update_running_stats = true});
  EXPECT_FALSE(at::equal(mean, before));
}

TEST(BatchNorm, AveragesAreTorchs) {
  layers::NamedTensors parameters, buffers;
  layers::ParameterMaker maker(1, parameters, buffers);
  const layers::BatchNorm norm(maker, "norm", 3);
  const at::Tensor x = Draw(72).normal({5, 3, 2, 2}).to(at::kFloat) * 2 + 1;
  const at::Tensor y = norm(x, {.training = true, .update_running_stats = true});
  const at::Tensor flat = x.transpose(0, 1).flatten(1), out = y.transpose(0, 1).flatten(1);
  EXPECT_LT(out.mean(1).abs().max().item<double>(), 1e-5);
  EXPECT_LT((out.var(1, false) - 1).abs().max().item<double>(), 1e-4);
  EXPECT_LT(difference(norm.running_mean, flat.mean(1) * 0.1), 1e-6);
  EXPECT_LT(difference(norm.running_var, flat.var(1, true) * 0.1 + 0.9), 1e-5);
}

TEST(DropPath, KeepsTheMeanAndDropsWholeSamples) {
  Random random(1, RandomPurpose::kTest);
  const at::Tensor x = Draw(73).uniform({4000, 3, 2}, 1, 2);
  const at::Tensor y = layers::drop_path(x, 0.25, {.training = true, .random = &random});
  int64_t dropped = 0;
  for (int64_t i = 0; i < x.size(0); ++i) {
    const bool zero = y[i].abs().max().item<double>() == 0;
    dropped += zero;
    if (!zero) {
      EXPECT_LT(difference(y[i] * 0.75, x[i]), 1e-6);
    }
  }
  EXPECT_NEAR(static_cast<double>(dropped) / 4000, 0.25, 0.03);
  EXPECT_TRUE(at::equal(layers::drop_path(x, 0.25, {}), x));
}

// Draws made in one forward pass of `batch` images, by family.
int64_t draws(const std::string& architecture, int64_t batch) {
  ModelSpec spec = small_spec(architecture, false);
  spec.drop_path = 0.3;
  const auto model = create_model(spec, 1);
  Random random(5, RandomPurpose::kDropPath);
  const at::NoGradGuard no_grad;
  model->forward(Draw(74).normal({batch, 3, 12, 12}).to(at::kFloat), {},
                 {.training = true, .random = &random});
  Random fresh(5, RandomPurpose::kDropPath);
  const double next = random.uniform();
  for (int64_t count = 0; count < 1000; ++count) {
    if (fresh.uniform() == next) return count;
  }
  return -1;
}

TEST(DropPath, FollowsEachFamilysRule) {
  // Two branches a block and four blocks; DeiT's first block has rate 0; ConvMixer has none.
  EXPECT_EQ(draws("deit_nano_patch4_32", 2), 3 * 2 * 2);
  EXPECT_EQ(draws("mixer_nano_patch4_32", 2), 4 * 2 * 2);
  EXPECT_EQ(draws("convmixer_nano_patch4_32", 2), 0);
}

TEST(DropPath, NeedsRandomNumbers) {
  ModelSpec spec = small_spec("deit_nano_patch4_32", false);
  spec.drop_path = 0.3;
  const auto model = create_model(spec, 1);
  EXPECT_THROW(
      model->forward(Draw(75).normal({2, 3, 12, 12}).to(at::kFloat), {}, {.training = true}),
      Error);
}

}  // namespace
}  // namespace remixer::models
