// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "core/training/ema.h"

namespace remixer::training {
namespace {

using NamedTensor = models::Model::NamedTensor;

std::vector<NamedTensor> parameters() {
  return {{"blocks.0.mlp.fc1.weight", at::linspace(-1, 1, 35).view({5, 7}).requires_grad_()},
          {"blocks.0.mlp.fc1.bias", at::linspace(0.5, 2, 5).requires_grad_()},
          {"pos_embed", at::linspace(-2, 2, 12).view({1, 3, 4}).requires_grad_()},
          {"blocks.0.remixer.kappa", at::full({1}, 0.02f).requires_grad_()},
          {"norm.weight", at::linspace(1, 3, 4).requires_grad_()}};
}

TEST(AdamWTest, EqualsThePlainFormulaInDouble) {
  experiments::Recipe recipe;
  recipe.weight_decay = 0.3;
  recipe.beta1 = 0.8;
  recipe.beta2 = 0.95;
  auto ours = parameters();
  AdamW optimizer(ours, recipe);

  struct Plain {
    std::vector<double> p, m, v;
  };
  std::vector<Plain> plain;
  for (const auto& [name, tensor] : ours) {
    Plain copy;
    for (int64_t i = 0; i < tensor.numel(); ++i) copy.p.push_back(tensor.data_ptr<float>()[i]);
    copy.m.resize(copy.p.size());
    copy.v.resize(copy.p.size());
    plain.push_back(copy);
  }
  for (int step = 1; step <= 6; ++step) {
    const double rate = 0.01 * step, kappa_rate = 0.003;
    for (size_t k = 0; k < ours.size(); ++k) {
      const auto& [name, tensor] = ours[k];
      const double decay = name == "blocks.0.mlp.fc1.weight" ? 0.3 : 0;
      const double a = k == 3 ? kappa_rate : rate;
      tensor.mutable_grad() = at::empty_like(tensor);
      for (size_t i = 0; i < plain[k].p.size(); ++i) {
        Random random(1, RandomPurpose::kTest, static_cast<uint64_t>(step * 10) + k, i);
        const auto g = static_cast<float>(random.normal());
        tensor.mutable_grad().data_ptr<float>()[i] = g;
        auto& [p, m, v] = plain[k];
        p[i] -= a * decay * p[i];
        m[i] = 0.8 * m[i] + 0.2 * g;
        v[i] = 0.95 * v[i] + 0.05 * g * g;
        const double corrected = std::sqrt(v[i] / (1 - std::pow(0.95, step))) + 1e-8;
        p[i] -= a * (m[i] / (1 - std::pow(0.8, step))) / corrected;
        if (k == 3) p[i] = std::max(p[i], 0.0);
      }
    }
    optimizer.step(rate, kappa_rate);
    for (size_t k = 0; k < ours.size(); ++k) {
      for (size_t i = 0; i < plain[k].p.size(); ++i) {
        ASSERT_NEAR(ours[k].second.data_ptr<float>()[i], plain[k].p[i], 2e-6)
            << ours[k].first << " " << i << " step " << step;
      }
    }
  }
  EXPECT_EQ(optimizer.steps(), 6);
}

TEST(AdamWTest, KappaStaysAtZeroOrAbove) {
  auto ours = parameters();
  AdamW optimizer(ours, {});
  for (const auto& [name, tensor] : ours) tensor.mutable_grad() = at::ones_like(tensor);
  optimizer.step(1e-3, 1.0);
  EXPECT_EQ(ours[3].second.item<float>(), 0.0f);
}

TEST(AdamWTest, StateGoesOnWhereItWasLeft) {
  auto first = parameters(), second = parameters();
  AdamW one(first, {}), two(second, {});
  const auto step = [](std::vector<NamedTensor>& list, AdamW& optimizer, double scale) {
    for (const auto& [name, tensor] : list) tensor.mutable_grad() = tensor.detach() * scale;
    optimizer.step(1e-2, 1e-2);
  };
  step(first, one, 1);
  step(first, one, -2);
  at::NoGradGuard no_grad;
  const auto from = one.state(), to = two.state();
  for (size_t i = 0; i < from.size(); ++i) to[i].second.copy_(from[i].second);
  for (size_t i = 0; i < first.size(); ++i) second[i].second.copy_(first[i].second);
  two.set_steps(2);
  step(first, one, 3);
  step(second, two, 3);
  for (size_t i = 0; i < first.size(); ++i)
    EXPECT_TRUE(at::equal(first[i].second, second[i].second));
}

TEST(ClipGradientsTest, ScalesToTheLimitOnlyAboveIt) {
  auto ours = parameters();
  for (const auto& [name, tensor] : ours) tensor.mutable_grad() = at::zeros_like(tensor);
  ours[0].second.mutable_grad()[0][0] = 3;
  ours[1].second.mutable_grad()[2] = 4;
  EXPECT_DOUBLE_EQ(clip_gradients(ours, 10), 5);
  EXPECT_EQ(ours[0].second.grad()[0][0].item<float>(), 3);
  EXPECT_DOUBLE_EQ(clip_gradients(ours, 1), 5);
  EXPECT_NEAR(ours[0].second.grad()[0][0].item<float>(), 0.6, 1e-6);
  EXPECT_NEAR(ours[1].second.grad()[2].item<float>(), 0.8, 1e-6);
}

// What a GPU runs gives the same as what the host works out.
TEST(ClipGradientsTest, WithoutWaitingForTheNormTheSame) {
  for (const double limit : {0.5, 100.0}) {
    auto here = parameters(), there = parameters();
    for (auto* list : {&here, &there}) {
      for (size_t i = 0; i < list->size(); ++i) {
        at::Tensor& tensor = (*list)[i].second;
        tensor.mutable_grad() = at::full_like(tensor, static_cast<double>(i) - 0.7);
      }
    }
    clip_gradients(here, limit);
    clip_gradients_there(gradients_of(there), limit);
    for (size_t i = 0; i < here.size(); ++i) {
      EXPECT_TRUE(at::allclose(here[i].second.grad(), there[i].second.grad(), 1e-6, 0)) << limit;
    }
  }
}

TEST(MovingAverageTest, FollowsParametersAndBuffers) {
  const auto model = models::create_model(
      {.architecture = "convmixer_nano_patch4_32", .num_classes = 3, .image_size = 32}, 5);
  const MovingAverage untouched(*model, 0.9);
  MovingAverage average(*model, 0.9);
  at::NoGradGuard no_grad;
  for (const auto* list : {&model->parameters(), &model->buffers()}) {
    for (const auto& [name, tensor] : *list) {
      if (tensor.is_floating_point()) tensor.add_(1);
    }
  }
  average.update();
  ASSERT_FALSE(model->buffers().empty());
  for (size_t i = 0; i < average.weights().tensors().size(); ++i) {
    const auto& [name, value] = average.weights().tensors()[i];
    if (!value.is_floating_point()) continue;
    EXPECT_TRUE(at::allclose(value, untouched.weights().tensors()[i].second + 0.1, 1e-5, 1e-6))
        << name;
  }
}

}  // namespace
}  // namespace remixer::training
