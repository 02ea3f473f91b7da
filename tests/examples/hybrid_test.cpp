// SPDX-License-Identifier: Apache-2.0
// The example of docs/extending.md: an architecture of a user's own is like the built-in ones.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "core/models/model.h"
#include "experiments/grid/grid.h"
#include "experiments/spec/architectures.h"
#include "tests/core/kernels/numeric.h"

namespace remixer::models {
namespace {

using remixer::testing::difference;
using remixer::testing::Draw;

constexpr const char* kName = "hybrid_nano_patch4_32";

ModelSpec spec(bool remixer) {
  return {.architecture = kName, .num_classes = 5, .image_size = 16, .remixer = remixer};
}

// In double, with κ away from 0.
std::unique_ptr<Model> masked_model(double kappa) {
  auto model = create_model(spec(true), 3);
  const at::NoGradGuard no_grad;
  for (const auto& [name, parameter] : model->parameters()) {
    parameter.set_data(parameter.to(at::kDouble));
    if (is_kappa(name)) parameter.fill_(kappa);
  }
  return model;
}

class HybridTest : public ::testing::Test {
 protected:
  Draw draw_{77};
  at::Tensor images_ = draw_.normal({2, 3, 16, 16});
  at::Tensor distance_ = draw_.uniform({2, 16, 16}, 0, 2);
};

TEST_F(HybridTest, IsKnownByItsName) {
  const auto& architecture = experiments::find_architecture(kName);
  EXPECT_EQ(architecture.family, "hybrid");
  EXPECT_FALSE(architecture.takes_convit());
  const auto names = architecture_names();
  EXPECT_NE(std::find(names.begin(), names.end(), kName), names.end());
}

TEST_F(HybridTest, StandsInGrids) {
  const auto grid = experiments::parse_grid(R"(
name = "mine"
[dataset.fashion-bg]
builder = "fashion-bg"
[recipe.short]
epochs = 5
[[cells]]
architecture = ["hybrid_nano_patch4_32"]
labeler = ["none", "saliency"]
[[evaluation]]
sets = ["original"]
)",
                                            "mine.toml");
  ASSERT_EQ(grid.cells.size(), 2u);
  EXPECT_EQ(grid.cells[0].architecture, kName);
  EXPECT_EQ(grid.cells[0].architecture_version, 1);
}

TEST_F(HybridTest, KappaZeroIsThePlainTwin) {
  const auto masked = masked_model(0);
  const auto plain = create_model(spec(false), 3);
  const at::NoGradGuard no_grad;
  for (const auto& [name, parameter] : plain->parameters())
    parameter.set_data(parameter.to(at::kDouble));
  EXPECT_LT(difference(masked->forward(images_, distance_, {}), plain->forward(images_, {}, {})),
            1e-12);
}

TEST_F(HybridTest, EveryKappaGetsItsGradient) {
  const auto model = masked_model(0.6);
  const at::Tensor targets = at::tensor({1, 4}, at::kLong);
  const auto loss = [&] {
    return at::cross_entropy_loss(model->forward(images_, distance_, {}), targets);
  };
  loss().backward();
  constexpr double kStep = 1e-5;
  int kappas = 0;
  for (const auto& [name, parameter] : model->parameters()) {
    if (!is_kappa(name)) continue;
    ++kappas;
    const at::NoGradGuard no_grad;
    parameter.add_(kStep);
    const double above = loss().item<double>();
    parameter.sub_(2 * kStep);
    const double below = loss().item<double>();
    parameter.add_(kStep);
    const double slope = (above - below) / (2 * kStep);
    EXPECT_NEAR(parameter.grad().item<double>(), slope, 1e-8) << name;
    EXPECT_GT(std::abs(slope), 1e-7) << name;
  }
  EXPECT_EQ(kappas, 4);
}

}  // namespace
}  // namespace remixer::models
