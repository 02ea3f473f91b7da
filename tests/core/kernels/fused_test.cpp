// SPDX-License-Identifier: Apache-2.0
// The operators over the device kernels, from tensors to gradients: the emulator stands in the
// place of the CUDA library and serves CPU tensors.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "core/kernels/fused_attention.h"
#include "core/kernels/fused_mixing.h"
#include "core/kernels/launcher.h"
#include "core/kernels/operators.h"
#include "tests/core/kernels/numeric.h"
#include "tests/support/simt_launcher.h"

namespace remixer::kernels {
namespace {

using remixer::testing::difference;
using remixer::testing::Draw;

class FusedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::g_launches = 0;
    set_launcher(at::kCPU, &testing::emulate);
  }
  void TearDown() override { set_launcher(at::kCPU, nullptr); }
};

using Function = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

std::vector<at::Tensor> with_gradients(std::vector<at::Tensor> arguments, at::ScalarType type) {
  for (at::Tensor& a : arguments) a = a.to(type).detach().requires_grad_(a.requires_grad());
  return arguments;
}

// `arguments` in bfloat16 by the kernels, and the same numbers in double by ATen, agree in result
// and in the gradient of each argument that wants one.
void expect_same(const Function& f, const std::vector<at::Tensor>& arguments, int launches) {
  const auto ours = with_gradients(arguments, at::kBFloat16);
  auto reference = with_gradients(ours, at::kDouble);
  const at::Tensor y = f(ours);
  const at::Tensor weights = Draw(9).normal(y.sizes()).to(at::kBFloat16);
  (y * weights).sum().backward();
  EXPECT_EQ(testing::g_launches, launches);
  const at::Tensor expected = f(reference);
  EXPECT_EQ(testing::g_launches, launches) << "double must not reach the kernels";
  (expected * weights.to(at::kDouble)).sum().backward();
  const auto near = [](const at::Tensor& a, const at::Tensor& b, const std::string& what) {
    ASSERT_EQ(a.sizes(), b.sizes()) << what;
    EXPECT_LT(difference(a.to(at::kDouble), b), 0.02 * b.abs().max().item<double>() + 1e-6) << what;
  };
  near(y, expected, "result");
  for (size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(ours[i].grad().defined(), reference[i].grad().defined());
    if (!ours[i].grad().defined()) continue;
    EXPECT_EQ(ours[i].grad().scalar_type(), at::kBFloat16);
    near(ours[i].grad(), reference[i].grad(), "gradient of argument " + std::to_string(i));
  }
}

at::Tensor kappa() {
  return at::full({1}, 0.7, at::kDouble).requires_grad_();
}

TEST_F(FusedTest, AttentionAsLayersCallIt) {
  Draw draw(1);
  // Heads cut from one product, [B, T, 3, H, D]: strided views, gradients to where they came from.
  const at::Tensor qkv = draw.normal({2, 18, 3, 2, 24}).requires_grad_();
  const at::Tensor distance = draw.uniform({2, 17, 17});
  expect_same(
      [](const auto& a) {
        const auto parts = a[0].permute({2, 0, 3, 1, 4}).unbind(0);
        return masked_attention(parts[0], parts[1], parts[2], a[1], a[2], 1);
      },
      {qkv, distance, kappa()}, 4);
}

TEST_F(FusedTest, AttentionOfMisalignedHeads) {
  Draw draw(2);
  const at::Tensor q = draw.normal({1, 2, 9, 17}).requires_grad_();
  expect_same(
      [](const auto& a) {
        const at::Tensor x = a[0].narrow(3, 1, 16);
        return masked_attention(x, x, x, a[1], a[2], 0, 0.2);
      },
      {q, draw.uniform({1, 9, 9}), kappa()}, 4);
}

TEST_F(FusedTest, AttentionWhoseDistanceWantsAGradientIsLeftToAten) {
  Draw draw(3);
  const at::Tensor q = draw.normal({1, 1, 8, 16}).requires_grad_();
  expect_same([](const auto& a) { return masked_attention(a[0], a[0], a[0], a[1], a[2]); },
              {q, draw.uniform({1, 8, 8}).requires_grad_(), kappa()}, 0);
}

TEST_F(FusedTest, WhatTheKernelsDoNotTakeIsLeftToAten) {
  Draw draw(4);
  const at::Tensor d = draw.uniform({1, 8, 8});
  expect_same([](const auto& a) { return masked_attention(a[0], a[0], a[0], a[1], a[2]); },
              {draw.normal({1, 1, 8, 12}).requires_grad_(), d, kappa().detach()}, 0);
  expect_same([](const auto& a) { return masked_attention(a[0], a[0], a[0], a[1], a[2]); },
              {draw.normal({1, 1, 8, 136}).requires_grad_(), d, kappa().detach()}, 0);
  const at::Tensor none = at::zeros({0, 1, 8, 16}, at::kBFloat16);
  EXPECT_EQ(
      masked_attention(none, none, none, at::zeros({0, 8, 8}, at::kBFloat16), kappa()).sizes(),
      none.sizes());
  EXPECT_EQ(testing::g_launches, 0);
}

TEST_F(FusedTest, LinearMapsOverPatches) {
  Draw draw(5);
  for (const bool complement : {false, true}) {
    testing::g_launches = 0;
    expect_same(
        [complement](const auto& a) { return masked_linear(a[0], a[1], a[2], a[3], complement); },
        {draw.normal({2, 10, 24}).requires_grad_(), draw.normal({10, 10}).requires_grad_(),
         draw.uniform({2, 10, 10}).requires_grad_(), kappa()},
        3);
  }
}

TEST_F(FusedTest, OneKernelForAllChannels) {
  Draw draw(6);
  expect_same(
      [](const auto& a) { return masked_conv2d(a[0], a[1], a[2], a[3], a[4]); },
      {draw.normal({2, 16, 4, 5}).requires_grad_(), draw.normal({1, 1, 3, 3}).requires_grad_(),
       draw.normal({1}).requires_grad_(), draw.uniform({2, 20, 20}).requires_grad_(), kappa()},
      3);
}

TEST_F(FusedTest, DistancesOfLabels) {
  Draw draw(8);
  for (const int64_t channels : {1, 12}) {
    for (const char* metric : {"l1", "cosine"}) {
      for (const auto type : {at::kFloat, at::kBFloat16, at::kHalf}) {
        testing::g_launches = 0;
        // Strided, and of two images.
        const at::Tensor y = draw.uniform({channels, 9, 2}).permute({2, 1, 0}).to(type);
        const at::Tensor ours = label_distance(y, metric);
        EXPECT_EQ(testing::g_launches, 1);
        EXPECT_EQ(ours.scalar_type(), type);
        const double allowed = type == at::kFloat ? 1e-5 : 0.03;
        EXPECT_LT(difference(ours.to(at::kDouble), label_distance(y.to(at::kDouble), metric)),
                  allowed)
            << metric << " " << channels;
      }
    }
  }
}

TEST_F(FusedTest, DistancesThatTheKernelsDoNotTakeAreLeftToAten) {
  Draw draw(8);
  expect_same([](const auto& a) { return label_distance(a[0], "l1"); },
              {draw.uniform({2, 5, 3}).requires_grad_()}, 0);
  EXPECT_EQ(label_distance(at::zeros({0, 4, 3}), "l1").sizes(), at::IntArrayRef({0, 4, 4}));
  EXPECT_EQ(label_distance(at::zeros({2, 4, 0}), "l1").abs().max().item<float>(), 0);
  EXPECT_EQ(testing::g_launches, 0);
}

TEST_F(FusedTest, WithoutGradientsOneLaunchIsMade) {
  Draw draw(7);
  const at::AutoGradMode no_gradients(false);
  const at::Tensor q = draw.normal({1, 1, 8, 16}).to(at::kBFloat16);
  masked_attention(q, q, q, draw.uniform({1, 8, 8}), kappa());
  EXPECT_EQ(testing::g_launches, 1);
}

TEST_F(FusedTest, ALaunchThatFailsSaysWhatAndWhy) {
  set_launcher(at::kCPU, [](const device::KernelCall&, void*) { return "no room"; });
  const at::Tensor q = at::zeros({1, 1, 8, 16}, at::kBFloat16);
  try {
    masked_attention(q, q, q, at::zeros({1, 8, 8}), kappa());
    FAIL();
  } catch (const c10::Error& error) {
    EXPECT_NE(std::string(error.what())
                  .find("masked_attention: launching a kernel on cpu failed: "
                        "no room"),
              std::string::npos);
  }
}

TEST(Launcher, WithoutACudaLibraryOrADeviceCpuTensorsAreServedByAten) {
  EXPECT_EQ(launcher_for(at::kCPU), nullptr);
  EXPECT_EQ(launcher_for(at::kMeta), nullptr);
}

}  // namespace
}  // namespace remixer::kernels
