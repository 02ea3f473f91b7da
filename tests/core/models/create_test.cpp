// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/equal.h>
#include <ATen/ops/eye.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "core/models/model.h"
#include "experiments/spec/architectures.h"

namespace remixer::models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

int64_t parameter_count(const std::string& architecture, int64_t classes,
                        const std::string& prior = "none") {
  const auto model = create_model_to_load(
      {.architecture = architecture, .spatial_prior = prior, .num_classes = classes});
  int64_t count = 0;
  for (const auto& [name, tensor] : model->parameters()) count += tensor.numel();
  return count;
}

at::Tensor parameter(const Model& model, const std::string& name) {
  for (const auto& [candidate, tensor] : model.parameters()) {
    if (candidate == name) return tensor.detach();
  }
  ADD_FAILURE() << "no parameter " << name;
  return {};
}

ModelSpec nano(const std::string& family, bool remixer = false, const std::string& prior = "none") {
  return {.architecture = family + "_nano_patch4_32",
          .spatial_prior = prior,
          .num_classes = 10,
          .image_size = 32,
          .remixer = remixer};
}

TEST(Create, ParameterCountsArePublishedOnes) {
  EXPECT_EQ(parameter_count("deit_small_patch16_224", 1000), 22'050'664);
  EXPECT_EQ(parameter_count("deit_small_patch16_224", 9), 21'669'129);
  EXPECT_EQ(parameter_count("deit_tiny_patch16_224", 1000), 5'717'416);
  EXPECT_EQ(parameter_count("mixer_s16_224", 1000), 18'528'264);
  EXPECT_EQ(parameter_count("mixer_s16_224", 9), 18'019'881);
  EXPECT_EQ(parameter_count("convmixer_512_8", 9), 2'517'657);
  EXPECT_EQ(parameter_count("convmixer_512_8_full", 9), 2'852'873);
  EXPECT_EQ(parameter_count("convit_tiny", 1000), 5'710'512);
  EXPECT_EQ(parameter_count("convit_small", 1000), 27'777'322);
}

TEST(Create, AllNamesBuildAndAreSorted) {
  const auto names = architecture_names();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  for (const auto& a : experiments::architectures()) {
    const auto model = create_model_to_load({.architecture = a.name, .image_size = a.image_size});
    EXPECT_EQ(model->grid(), a.image_size / a.patch) << a.name;
    for (const auto& [name, tensor] : model->parameters())
      EXPECT_TRUE(tensor.requires_grad()) << name;
  }
}

TEST(Create, NamesAreTimms) {
  const auto model = create_model(nano("deit", true), 0);
  std::vector<std::string> names;
  for (const auto& [name, tensor] : model->parameters()) names.push_back(name);
  names.resize(17);
  EXPECT_THAT(
      names,
      ElementsAre("cls_token", "pos_embed", "patch_embed.proj.weight", "patch_embed.proj.bias",
                  "blocks.0.norm1.weight", "blocks.0.norm1.bias", "blocks.0.attn.qkv.weight",
                  "blocks.0.attn.qkv.bias", "blocks.0.attn.proj.weight", "blocks.0.attn.proj.bias",
                  "blocks.0.norm2.weight", "blocks.0.norm2.bias", "blocks.0.mlp.fc1.weight",
                  "blocks.0.mlp.fc1.bias", "blocks.0.mlp.fc2.weight", "blocks.0.mlp.fc2.bias",
                  "blocks.0.remixer.kappa"));
  const auto conv = create_model(nano("convmixer"), 0);
  EXPECT_EQ(parameter(*conv, "blocks.3.0.fn.0.weight").sizes(), at::IntArrayRef({1, 1, 5, 5}));
  EXPECT_EQ(parameter(*conv, "blocks.3.1.weight").sizes(), at::IntArrayRef({64, 64, 1, 1}));
  EXPECT_EQ(conv->buffers().front().first, "stem.2.running_mean");
}

TEST(Create, SeedDecidesEverything) {
  for (const char* family : {"deit", "mixer", "convmixer"}) {
    const auto one = create_model(nano(family), 7), same = create_model(nano(family), 7),
               other = create_model(nano(family), 8);
    bool differs = false;
    for (size_t i = 0; i < one->parameters().size(); ++i) {
      EXPECT_TRUE(at::equal(one->parameters()[i].second, same->parameters()[i].second));
      differs = differs || !at::equal(one->parameters()[i].second, other->parameters()[i].second);
    }
    EXPECT_TRUE(differs) << family;
  }
}

TEST(Create, ReMixerBeginsAsItsPlainTwinWithKappaZero) {
  for (const char* family : {"deit", "mixer", "convmixer"}) {
    const auto plain = create_model(nano(family), 7), masked = create_model(nano(family, true), 7);
    for (const auto& [name, tensor] : plain->parameters()) {
      EXPECT_TRUE(at::equal(parameter(*masked, name), tensor)) << name;
    }
    for (int block = 0; block < 4; ++block) {
      const at::Tensor kappa = parameter(*masked, fmt::format("blocks.{}.remixer.kappa", block));
      EXPECT_EQ(kappa.sizes(), at::IntArrayRef({1}));
      EXPECT_EQ(kappa.item<float>(), 0);
    }
    EXPECT_EQ(masked->parameters().size(), plain->parameters().size() + 4);
  }
}

TEST(Create, InitialValuesFollowTheFamilysRule) {
  const auto spread = [](const at::Tensor& t) { return t.std().item<double>(); };
  const auto deit = create_model(nano("deit"), 1);
  EXPECT_NEAR(spread(parameter(*deit, "blocks.0.mlp.fc1.weight")), 0.02, 0.001);
  EXPECT_NEAR(spread(parameter(*deit, "patch_embed.proj.weight")), 1 / std::sqrt(3.0 * 48), 0.003);
  EXPECT_EQ(parameter(*deit, "head.bias").abs().max().item<double>(), 0);
  const auto mixer = create_model(nano("mixer"), 1);
  EXPECT_NEAR(spread(parameter(*mixer, "blocks.0.mlp_channels.fc1.weight")),
              std::sqrt(2.0 / (64 + 256)), 0.002);
  EXPECT_NEAR(spread(parameter(*mixer, "blocks.0.mlp_channels.fc1.bias")), 1e-6, 2e-7);
  EXPECT_NEAR(spread(parameter(*mixer, "stem.proj.weight")), 1 / std::sqrt(48.0) / 0.8796, 0.006);
  EXPECT_EQ(parameter(*mixer, "head.weight").abs().max().item<double>(), 0);
  const auto conv = create_model(nano("convmixer"), 1);
  EXPECT_LE(parameter(*conv, "blocks.0.0.fn.0.weight").abs().max().item<double>(), 0.2);
  EXPECT_LE(parameter(*conv, "blocks.0.1.weight").abs().max().item<double>(), 0.125);
}

TEST(Create, ConvitBeginsLocal) {
  const auto model = create_model(nano("deit", false, "convit"), 1);
  EXPECT_TRUE(at::equal(parameter(*model, "blocks.2.attn.v.weight"), at::eye(64)));
  const at::Tensor w = parameter(*model, "blocks.2.attn.pos_proj.weight");
  // 2 × 2 heads look half a patch to each side of the centre, twice as strong: ±1.
  EXPECT_EQ(w.slice(1, 2, 3).sum().item<float>(), -4);
  EXPECT_EQ(w.slice(1, 0, 2).abs().sum().item<float>(), 8);
  EXPECT_EQ(w.slice(1, 0, 2).sum().item<float>(), 0);
  EXPECT_EQ(parameter(*model, "blocks.2.attn.gating_param").sum().item<float>(), 4);
  EXPECT_EQ(parameter(*model, "pos_embed").size(1), 64);
  EXPECT_EQ(parameter(*model, "blocks.3.attn.qkv.weight").size(0), 192);
}

TEST(Create, HeadsBeyondTheSquareKeepRandomWeights) {
  const auto model =
      create_model({.architecture = "deit_small_convit", .num_classes = 9, .image_size = 32}, 1);
  const at::Tensor w = parameter(*model, "blocks.9.attn.pos_proj.weight");
  EXPECT_EQ(w.slice(0, 0, 4).slice(1, 2, 3).sum().item<float>(), -4);
  EXPECT_LT(w.slice(0, 4, 6).abs().max().item<float>(), 0.2);
  EXPECT_GT(w.slice(0, 4, 6).abs().min().item<float>(), 0);
  parameter(*model, "blocks.9.attn.qk.bias");
  parameter(*model, "blocks.10.attn.qkv.bias");
  EXPECT_EQ(parameter_count("deit_small_convit", 9),
            parameter_count("deit_small_patch16_224", 9, "convit"));
}

TEST(Create, BadSpecsAreNamed) {
  const auto message = [](const ModelSpec& spec) -> std::string {
    try {
      create_model(spec, 0);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(message({.architecture = "deit_huge"}), HasSubstr("deit_small_patch16_224"));
  EXPECT_THAT(message(nano("mixer", false, "convit")), HasSubstr("convit"));
  EXPECT_THAT(message(nano("deit", false, "swin")), HasSubstr("swin"));
  EXPECT_THAT(message({.architecture = "deit_nano_patch4_32", .image_size = 30}), HasSubstr("30"));
  EXPECT_THAT(message({.architecture = "deit_nano_patch4_32", .num_classes = 0}),
              HasSubstr("num_classes"));
  EXPECT_THAT(message({.architecture = "deit_nano_patch4_32", .drop_path = 1}),
              HasSubstr("drop_path"));
}

}  // namespace
}  // namespace remixer::models
