// SPDX-License-Identifier: Apache-2.0
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "core/models/model.h"
#include "tests/core/kernels/numeric.h"
#include "tests/core/models/plain_model.h"

namespace remixer::models {
namespace {

using remixer::testing::difference;
using remixer::testing::Draw;
using remixer::testing::plain_logits;
using remixer::testing::random_model;
using remixer::testing::small_spec;

struct Variant {
  const char *name, *architecture, *prior;
};
void PrintTo(const Variant& variant, std::ostream* out) {
  *out << variant.name;
}

class ForwardTest : public ::testing::TestWithParam<Variant> {
 protected:
  ModelSpec spec(bool remixer) const {
    return small_spec(GetParam().architecture, remixer, GetParam().prior);
  }
  static bool is_cls_model() { return std::string(GetParam().architecture).starts_with("deit"); }

  Draw draw_{61};
  at::Tensor images_ = draw_.normal({2, 3, 12, 12});
  at::Tensor distance_ = draw_.uniform({2, 9, 9}, 0, 2);
};

TEST_P(ForwardTest, MaskedIsThePlainLoop) {
  const auto model = random_model(spec(true));
  const at::Tensor expected = plain_logits(*model, images_, distance_);
  EXPECT_LT(difference(model->forward(images_, distance_, {}), expected), 1e-9);
  const at::NoGradGuard no_grad;
  EXPECT_LT(difference(model->forward(images_, distance_, {}), expected), 1e-9);
}

TEST_P(ForwardTest, UnmaskedIsThePlainLoop) {
  const auto model = random_model(spec(false));
  EXPECT_LT(difference(model->forward(images_, {}, {}), plain_logits(*model, images_, {})), 1e-9);
}

TEST_P(ForwardTest, KappaZeroIsThePlainModel) {
  const auto masked = random_model(spec(true)), plain = random_model(spec(false));
  const at::NoGradGuard no_grad;
  size_t at = 0;
  for (const auto& [name, tensor] : masked->parameters()) {
    if (is_kappa(name)) {
      tensor.zero_();
    } else {
      ASSERT_EQ(plain->parameters()[at].first, name);
      tensor.copy_(plain->parameters()[at++].second);
    }
  }
  ASSERT_EQ(at, plain->parameters().size());
  for (size_t i = 0; i < plain->buffers().size(); ++i) {
    masked->buffers()[i].second.copy_(plain->buffers()[i].second);
  }
  const at::Tensor expected = plain->forward(images_, {}, {});
  EXPECT_LT(difference(masked->forward(images_, distance_, {}), expected), 1e-10);
  const at::AutoGradMode grad(true);
  EXPECT_LT(difference(masked->forward(images_, distance_, {}), expected), 1e-10);
}

TEST_P(ForwardTest, EveryParameterGetsAGradient) {
  const auto model = random_model(spec(true));
  at::cross_entropy_loss(model->forward(images_, distance_, {.training = true}),
                         at::tensor({1, 3}, at::kLong))
      .backward();
  for (const auto& [name, tensor] : model->parameters()) {
    ASSERT_TRUE(tensor.grad().defined()) << name;
    EXPECT_TRUE(tensor.grad().isfinite().all().item<bool>()) << name;
    // Of a transformer's last block only [CLS] is asked, whose mask is 1: its κ decides nothing.
    const bool idle = is_cls_model() && name == "blocks.3.remixer.kappa";
    EXPECT_EQ(tensor.grad().abs().max().item<double>() > 0, !idle) << name;
  }
}

TEST_P(ForwardTest, KappasGradientsAreRight) {
  const auto model = random_model(spec(true));
  const at::Tensor targets = at::tensor({1, 3}, at::kLong);
  const auto loss = [&] {
    return at::cross_entropy_loss(model->forward(images_, distance_, {.training = true}), targets);
  };
  loss().backward();
  constexpr double kStep = 1e-5;
  int kappas = 0;
  for (const auto& [name, tensor] : model->parameters()) {
    if (!is_kappa(name)) continue;
    ++kappas;
    double* kappa = tensor.mutable_data_ptr<double>();
    const double kept = *kappa;
    *kappa = kept + kStep;
    const double above = loss().item<double>();
    *kappa = kept - kStep;
    const double below = loss().item<double>();
    *kappa = kept;
    EXPECT_NEAR(tensor.grad().item<double>(), (above - below) / (2 * kStep), 1e-7) << name;
  }
  EXPECT_EQ(kappas, 4);
}

TEST_P(ForwardTest, RefusesWhatDoesNotFit) {
  const auto masked = create_model(spec(true), 1), plain = create_model(spec(false), 1);
  EXPECT_THROW(masked->forward(images_, {}, {}), InputError);
  EXPECT_THROW(plain->forward(images_, distance_, {}), InputError);
  EXPECT_THROW(plain->forward(draw_.normal({2, 3, 16, 16}), {}, {}), InputError);
  EXPECT_THROW(masked->forward(images_, draw_.normal({2, 16, 16}), {}), InputError);
}

INSTANTIATE_TEST_SUITE_P(Nano, ForwardTest,
                         ::testing::Values(Variant{"Deit", "deit_nano_patch4_32", "none"},
                                           Variant{"Convit", "deit_nano_patch4_32", "convit"},
                                           Variant{"Mixer", "mixer_nano_patch4_32", "none"},
                                           Variant{"ConvMixer", "convmixer_nano_patch4_32", "none"},
                                           Variant{"ConvMixerFull", "convmixer_nano_patch4_32_full",
                                                   "none"}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace remixer::models
