// SPDX-License-Identifier: Apache-2.0
// The shared library, loaded as torch.ops.load_library does, and its operators called by name.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include "core/kernels/operators.h"
#include "tests/core/kernels/numeric.h"

namespace remixer::kernels {
namespace {

using remixer::testing::difference;
using remixer::testing::Draw;

class RegistrationTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_NE(::dlopen(REMIXER_OPS_LIBRARY, RTLD_NOW), nullptr) << ::dlerror();
  }
  static at::Tensor call(const char* name, std::vector<c10::IValue> arguments) {
    const auto op = c10::Dispatcher::singleton().findSchemaOrThrow(name, "");
    op.callBoxed(arguments);
    return arguments.at(0).toTensor();
  }
  static std::string schema(const char* name) {
    return c10::str(c10::Dispatcher::singleton().findSchemaOrThrow(name, "").schema());
  }
};

TEST_F(RegistrationTest, SchemasAreThePromisedOnes) {
  EXPECT_EQ(schema("remixer::label_distance"),
            "remixer::label_distance(Tensor y, str metric) -> Tensor");
  EXPECT_EQ(
      schema("remixer::masked_attention"),
      "remixer::masked_attention(Tensor q, Tensor k, Tensor v, Tensor distance, Tensor kappa, "
      "int prefix_tokens=0, float? scale=None) -> Tensor");
  EXPECT_EQ(schema("remixer::masked_linear"),
            "remixer::masked_linear(Tensor x, Tensor weight, Tensor distance, Tensor kappa, "
            "bool complement=False) -> Tensor");
  EXPECT_EQ(schema("remixer::masked_conv2d"),
            "remixer::masked_conv2d(Tensor x, Tensor weight, Tensor? bias, Tensor distance, "
            "Tensor kappa) -> Tensor");
}

TEST_F(RegistrationTest, CallsReachTheOperatorsWithGradients) {
  Draw draw(41);
  const at::Tensor y = draw.normal({2, 9, 3}), x = draw.normal({2, 4, 3, 3}),
                   w = draw.normal({4, 1, 3, 3});
  const at::Tensor distance = call("remixer::label_distance", {y, "cosine"});
  EXPECT_EQ(difference(distance, label_distance(y, "cosine")), 0);
  const at::Tensor kappa = at::full({1}, 0.5, at::kDouble).set_requires_grad(true);
  const at::Tensor out = call("remixer::masked_conv2d", {x, w, c10::IValue(), distance, kappa});
  EXPECT_EQ(difference(out, masked_conv2d(x, w, std::nullopt, distance, kappa)), 0);
  out.sum().backward();
  EXPECT_TRUE(kappa.grad().defined());
  const at::Tensor q = draw.normal({2, 2, 10, 4});
  EXPECT_EQ(
      difference(call("remixer::masked_attention", {q, q, q, distance, kappa, 1, c10::IValue()}),
                 masked_attention(q, q, q, distance, kappa, 1)),
      0);
  const at::Tensor tokens = draw.normal({2, 9, 5}), weight = draw.normal({9, 9});
  EXPECT_EQ(difference(call("remixer::masked_linear", {tokens, weight, distance, kappa, true}),
                       masked_linear(tokens, weight, distance, kappa, true)),
            0);
}

TEST_F(RegistrationTest, ShapesAreInferredWithoutData) {
  const auto meta = [](at::IntArrayRef shape) {
    return at::empty(shape, at::TensorOptions().device(at::kMeta).dtype(at::kFloat));
  };
  const at::Tensor distance = meta({2, 9, 9}), kappa = meta({1});
  EXPECT_EQ(call("remixer::label_distance", {meta({2, 9, 5}), "l1"}).sizes(),
            at::IntArrayRef({2, 9, 9}));
  EXPECT_EQ(call("remixer::label_distance", {meta({2, 9, 5}), "cosine"}).sizes(),
            at::IntArrayRef({2, 9, 9}));
  const at::Tensor q = meta({2, 3, 10, 4});
  EXPECT_EQ(call("remixer::masked_attention", {q, q, q, distance, kappa, 1, c10::IValue()}).sizes(),
            q.sizes());
  const at::Tensor x = meta({2, 9, 5});
  EXPECT_EQ(call("remixer::masked_linear", {x, meta({9, 9}), distance, kappa, false}).sizes(),
            x.sizes());
  const at::Tensor image = meta({2, 4, 3, 3});
  EXPECT_EQ(call("remixer::masked_conv2d", {image, meta({4, 1, 3, 3}), meta({4}), distance, kappa})
                .sizes(),
            image.sizes());
}

}  // namespace
}  // namespace remixer::kernels
