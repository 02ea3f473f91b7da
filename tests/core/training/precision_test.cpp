// SPDX-License-Identifier: Apache-2.0
#include "core/training/precision.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "core/training/objective.h"
#include "tests/core/training/tiny_cell.h"

namespace remixer::training {
namespace {

TEST(LossScalerTest, DividesWhatItMultiplied) {
  LossScaler scaler;
  EXPECT_EQ(scaler.scale(at::full({}, 0.5)).item<float>(), 32768);
  const std::vector<at::Tensor> gradients{at::full({3}, 65536.0), at::full({2, 2}, -131072.0)};
  EXPECT_TRUE(scaler.unscale(gradients));
  EXPECT_TRUE(at::equal(gradients[0], at::ones({3})));
  EXPECT_TRUE(at::equal(gradients[1], at::full({2, 2}, -2.0)));
  EXPECT_EQ(scaler.state(), (LossScale{65536, 1}));
}

// As PyTorch's GradScaler with its defaults: halved at once, doubled after 2000 good steps in a
// row.
TEST(LossScalerTest, FallsOnOverflowAndRisesAfterManyGoodSteps) {
  LossScaler scaler;
  const auto step = [&](float value) {
    return scaler.unscale({at::ones({2}), at::full({2}, value)});
  };
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(step(1));
  EXPECT_FALSE(step(std::numeric_limits<float>::infinity()));
  EXPECT_EQ(scaler.state(), (LossScale{32768, 0}));
  EXPECT_FALSE(step(std::numeric_limits<float>::quiet_NaN()));
  EXPECT_EQ(scaler.state(), (LossScale{16384, 0}));
  for (int i = 0; i < 1999; ++i) EXPECT_TRUE(step(1));
  EXPECT_EQ(scaler.state(), (LossScale{16384, 1999}));
  EXPECT_TRUE(step(1));
  EXPECT_EQ(scaler.state(), (LossScale{32768, 0}));
}

TEST(LossScalerTest, GoesOnWhereItWasLeft) {
  LossScaler scaler(LossScale{1024, 1999});
  EXPECT_TRUE(scaler.unscale({at::ones({1})}));
  EXPECT_EQ(scaler.state(), (LossScale{2048, 0}));
}

TEST(AutocastTest, RunsProductsInItsTypeAndLeavesNoTrace) {
  const at::Tensor a = at::ones({2, 2}), b = at::ones({2, 2});
  {
    const Autocast none(at::kCPU, at::kFloat);
    EXPECT_EQ(at::matmul(a, b).scalar_type(), at::kFloat);
    const Autocast narrow(at::kCPU, at::kBFloat16);
    EXPECT_EQ(at::matmul(a, b).scalar_type(), at::kBFloat16);
  }
  EXPECT_FALSE(at::autocast::is_autocast_enabled(at::kCPU));
  EXPECT_EQ(at::matmul(a, b).scalar_type(), at::kFloat);
}

TEST(ProductTypeTest, FollowsCellAndDevice) {
  EXPECT_EQ(product_type("fp32", at::kCPU), at::kFloat);
  EXPECT_EQ(product_type("bf16", at::kCPU), at::kBFloat16);
  EXPECT_EQ(product_type("fp16", at::Device(at::kCUDA, 0)), at::kHalf);
  EXPECT_EQ(product_type("tf32", at::Device(at::kCUDA, 0)), at::kFloat);
  EXPECT_THROW(product_type("tf32", at::kCPU), InputError) << "it would be fp32 under another id";
  EXPECT_THROW(product_type("fp64", at::kCPU), InputError);
  try {
    product_type("fp16", at::kCPU);
    FAIL() << "fp16 on a CPU";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("needs a GPU"));
  }
}

// The switches alone; no GPU is needed to turn them.
TEST(ArithmeticTest, Tf32IsAChoiceAndBitsAreKept) {
  at::Context& context = at::globalContext();
  const at::Device gpu(at::kCUDA, 0);
  set_arithmetic("tf32", at::kCPU);
  EXPECT_FALSE(context.deterministicAlgorithms()) << "a CPU's results stay what they were";
  set_arithmetic("tf32", gpu);
  EXPECT_TRUE(context.allowTF32CuBLAS());
  EXPECT_TRUE(context.allowTF32CuDNN());
  for (const char* precision : {"fp32", "bf16", "fp16"}) {
    set_arithmetic("tf32", gpu);
    set_arithmetic(precision, gpu);
    EXPECT_FALSE(context.allowTF32CuBLAS()) << precision;
    EXPECT_FALSE(context.allowTF32CuDNN()) << precision;
  }
  EXPECT_TRUE(context.deterministicAlgorithms());
  EXPECT_FALSE(context.deterministicAlgorithmsWarnOnly());
  EXPECT_FALSE(context.deterministicFillUninitializedMemory());
  EXPECT_TRUE(context.deterministicCuDNN());
  EXPECT_FALSE(context.benchmarkCuDNN());
  ::setenv("REMIXER_DETERMINISTIC", "0", 1);
  set_arithmetic("fp32", gpu);
  ::unsetenv("REMIXER_DETERMINISTIC");
  EXPECT_FALSE(context.deterministicAlgorithms());
  EXPECT_FALSE(context.deterministicCuDNN());
}

// Every family under bf16: loss and gradients near those of fp32, and not the same.
TEST(BFloat16Test, EveryFamilyTrainsNearFloat32) {
  struct Case {
    const char *architecture, *prior;
  };
  for (const Case& test :
       {Case{"deit_nano_patch4_32", "none"}, Case{"deit_nano_patch4_32", "convit"},
        Case{"mixer_nano_patch4_32", "none"}, Case{"convmixer_nano_patch4_32", "none"},
        Case{"convmixer_nano_patch4_32_full", "none"}}) {
    for (const bool remixer : {false, true}) {
      SCOPED_TRACE(fmt::format("{} {} {}", test.architecture, test.prior, remixer));
      auto cell = remixer::testing::tiny_cell(test.architecture, remixer);
      cell.recipe.drop_path = 0.1;
      const models::ModelSpec spec{.architecture = test.architecture,
                                   .spatial_prior = test.prior,
                                   .num_classes = 3,
                                   .image_size = 32,
                                   .remixer = remixer,
                                   .drop_path = 0.1};
      const auto gradients = [&](at::ScalarType type, double& loss) {
        const auto model = models::create_model(spec, 5);
        Random random(9, RandomPurpose::kTest);
        {
          // Off their first values, where Mixer's head passes no gradient on and κ has no effect.
          const at::NoGradGuard no_grad;
          for (const auto& [name, tensor] : model->parameters()) {
            for (int64_t i = 0; i < tensor.numel(); ++i) {
              tensor.data_ptr<float>()[i] += static_cast<float>(0.05 * random.uniform());
            }
          }
        }
        Batch batch;
        batch.images = at::empty({4, 3, 32, 32});
        for (int64_t i = 0; i < batch.images.numel(); ++i) {
          batch.images.data_ptr<float>()[i] = static_cast<float>(random.normal());
        }
        batch.patch_labels = at::empty({4, 64, 1});
        for (int64_t i = 0; i < 256; ++i) {
          batch.patch_labels.data_ptr<float>()[i] = static_cast<float>(random.uniform());
        }
        batch.classes = at::arange(4, at::kLong).remainder(3);
        const Objective objective(cell, *model, at::kCPU, type);
        const at::Tensor value = objective(batch, 0, 0);
        EXPECT_EQ(value.scalar_type(), at::kFloat);
        loss = value.item<double>();
        value.backward();
        std::vector<at::Tensor> flat;
        for (const auto& [name, tensor] : model->parameters()) {
          EXPECT_TRUE(tensor.grad().defined()) << name;
          EXPECT_EQ(tensor.grad().scalar_type(), at::kFloat) << name;
          flat.push_back(tensor.grad().flatten());
        }
        return at::cat(flat).to(at::kDouble);
      };
      double wide_loss = 0, narrow_loss = 0;
      const at::Tensor wide = gradients(at::kFloat, wide_loss);
      const at::Tensor narrow = gradients(at::kBFloat16, narrow_loss);
      EXPECT_NEAR(narrow_loss, wide_loss, 0.02 * wide_loss);
      const double off = ((narrow - wide).norm() / wide.norm()).item<double>();
      EXPECT_GT(off, 1e-5);
      EXPECT_LT(off, 0.1);
    }
  }
}

}  // namespace
}  // namespace remixer::training
