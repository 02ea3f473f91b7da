// SPDX-License-Identifier: Apache-2.0
// The networks against other programs' answers. The numbers are ONNX Runtime 1.32's: on the
// published u2netp.onnx with its input size freed, and on EfficientNet-lite0 written as an ONNX
// graph from the published weights, batch norms unfolded and padded with SAME_UPPER.
#include <ATen/ops/abs.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "core/io/safetensors.h"
#include "labelcache/networks/efficientnet.h"
#include "labelcache/networks/u2net.h"
#include "tests/labelcache/synthetic.h"
#include "tests/support/program.h"

namespace remixer::labelcache {
namespace {

const fs::path kWeights = REMIXER_WEIGHTS_FOLDER;

// [1, 3, height, width] of the synthetic image, each pixel through `normalise(value, channel)`.
template <typename Normalise>
at::Tensor input(int height, int width, Normalise normalise) {
  const data::Image image = testing::disk_image(height, width);
  at::Tensor tensor = at::empty({1, height, width, 3}, at::kFloat);
  float* out = tensor.data_ptr<float>();
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    out[i] = normalise(static_cast<float>(image.pixels[i]), i % 3);
  }
  return tensor.permute({0, 3, 1, 2});
}

at::Tensor saliency_input(int height, int width) {
  constexpr float kMean[] = {0.485f, 0.456f, 0.406f}, kDeviation[] = {0.229f, 0.224f, 0.225f};
  return input(height, width,
               [&](float pixel, size_t c) { return (pixel / 230.0f - kMean[c]) / kDeviation[c]; });
}

at::Tensor classifier_input(int height, int width) {
  return input(height, width, [](float pixel, size_t) { return (pixel - 127) / 128; });
}

struct Value {
  int64_t channel, y, x;
  double expected;
};

void expect_values(const at::Tensor& out, const std::vector<Value>& values, double tolerance) {
  for (const auto& [channel, y, x, expected] : values) {
    EXPECT_NEAR(out.select(0, 0).select(0, channel).select(0, y).select(0, x).item<double>(),
                expected, tolerance)
        << channel << ' ' << y << ' ' << x;
  }
}

TEST(U2NetTest, AgreesWithOnnxRuntime) {
  const U2Net network(kWeights / "u2netp.safetensors");
  const at::Tensor square = network.forward(saliency_input(96, 96));
  ASSERT_EQ(square.sizes(), at::IntArrayRef({1, 1, 96, 96}));
  EXPECT_NEAR(square.sum().item<double>(), 1396.2462, 0.3);
  expect_values(square,
                {{0, 0, 0, 0.0136921},
                 {0, 48, 48, 0.5183408},
                 {0, 38, 48, 0.4394645},
                 {0, 95, 32, 0.2043866},
                 {0, 24, 91, 0.0210740},
                 {0, 32, 32, 0.7183095}},
                1e-3);
  // Sides that are not multiples of 32 exercise the rounding of every pooling.
  const at::Tensor oblong = network.forward(saliency_input(72, 104));
  ASSERT_EQ(oblong.sizes(), at::IntArrayRef({1, 1, 72, 104}));
  EXPECT_NEAR(oblong.sum().item<double>(), 1338.7647, 0.3);
  expect_values(oblong,
                {{0, 0, 0, 0.0593505},
                 {0, 36, 52, 0.4594999},
                 {0, 28, 52, 0.4812315},
                 {0, 71, 34, 0.1883212},
                 {0, 18, 99, 0.2221809},
                 {0, 24, 34, 0.2221228}},
                1e-3);
}

TEST(EfficientNetTest, AgreesWithOnnxRuntime) {
  const EfficientNet network(kWeights / "efficientnet_lite0.safetensors");
  const at::Tensor square = network.forward(classifier_input(224, 224));
  ASSERT_EQ(square.sizes(), at::IntArrayRef({1, 1000, 7, 7}));
  EXPECT_NEAR(square.abs().sum().item<double>(), 72772.699, 2);
  expect_values(square,
                {{0, 0, 0, 0.6976206},
                 {999, 6, 6, 0.4665083},
                 {281, 1, 2, -1.5125269},
                 {670, 3, 1, 1.3864721},
                 {417, 2, 6, 2.1767640}},
                1e-3);
  // Odd sides exercise TensorFlow's uneven padding.
  const at::Tensor oblong = network.forward(classifier_input(161, 96));
  ASSERT_EQ(oblong.sizes(), at::IntArrayRef({1, 1000, 6, 3}));
  EXPECT_NEAR(oblong.abs().sum().item<double>(), 40926.697, 2);
  expect_values(oblong,
                {{0, 0, 0, 1.1525657},
                 {999, 5, 2, 0.4327423},
                 {281, 1, 2, -0.3031573},
                 {670, 3, 1, 1.5251731},
                 {417, 2, 2, 25.4014072}},
                2e-3);
}

TEST(NetworkWeightsTest, WhatIsWrongIsNamed) {
  const auto message = [](const fs::path& path) {
    try {
      U2Net network(path);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const testing::ScratchFolder scratch("weights");
  EXPECT_NE(message(scratch / "absent.safetensors").find("./setup"), std::string::npos);

  io::write_safetensors(scratch / "bare.safetensors", {{"a", at::zeros({1})}});
  EXPECT_NE(message(scratch / "bare.safetensors").find("converted from"), std::string::npos);

  io::write_safetensors(
      scratch / "other.safetensors",
      {{"stage1.in.bias", at::zeros({3})}, {"stage1.in.weight", at::zeros({4, 3, 3, 3})}},
      {{"source_sha256", "0"}});
  EXPECT_NE(message(scratch / "other.safetensors").find("stage1.in.weight"), std::string::npos);
}

}  // namespace
}  // namespace remixer::labelcache
