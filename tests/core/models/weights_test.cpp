// SPDX-License-Identifier: Apache-2.0
#include "core/models/weights.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>

#include <limits>

#include "base/error.h"
#include "tests/core/models/folder.h"

namespace remixer::models {
namespace {

using ::testing::HasSubstr;

class WeightsTest : public remixer::testing::FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    file_ = folder_ / "w.safetensors";
    save_weights(*model_, file_);
    weights_ = io::read_safetensors(file_);
  }
  static std::unique_ptr<Model> make(uint64_t seed) {
    return create_model({.architecture = "convmixer_nano_patch4_32",
                         .num_classes = 10,
                         .image_size = 32,
                         .remixer = true},
                        seed);
  }
  // Expects that loading changed weights_ fails with these words and leaves the model as it was.
  void expect_refused(const std::string& words) {
    const auto target = make(4);
    const at::Tensor first = target->parameters()[0].second.clone();
    try {
      load_weights(*target, weights_);
      ADD_FAILURE() << "loaded; expected: " << words;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(words));
      EXPECT_THAT(error.what(), HasSubstr(file_.string()));
    }
    EXPECT_TRUE(at::equal(target->parameters()[0].second, first));
  }

  std::unique_ptr<Model> model_ = make(3);
  std::filesystem::path file_;
  io::Safetensors weights_;
};

// torch.compile, DistributedDataParallel and Lightning put a word before every name.
TEST_F(WeightsTest, WrappersNamesAreTakenOff) {
  for (const std::string prefix : {"_orig_mod.", "module.", "model.", "module._orig_mod.",
                                   "model._orig_mod.", "model.module."}) {
    std::vector<Model::NamedTensor> wrapped;
    for (const auto& [name, tensor] : weights_.tensors) wrapped.emplace_back(prefix + name, tensor);
    io::write_safetensors(file_, wrapped, {});
    const auto other = make(4);
    load_weights(*other, file_);
    EXPECT_TRUE(at::equal(model_->parameters()[0].second, other->parameters()[0].second)) << prefix;
  }
  // Another word is named, with what the file holds.
  std::vector<Model::NamedTensor> wrapped;
  for (const auto& [name, tensor] : weights_.tensors) wrapped.emplace_back("net." + name, tensor);
  io::write_safetensors(file_, wrapped, {});
  weights_ = io::read_safetensors(file_);
  expect_refused("tensors: net.");
}

TEST_F(WeightsTest, ComeBackBitForBit) {
  const at::Tensor mean = model_->buffers()[0].second;
  mean.fill_(0.5);
  save_weights(*model_, file_, {{"cell", "abc"}});
  const auto other = make(4);
  load_weights(*other, file_);
  for (size_t i = 0; i < model_->parameters().size(); ++i) {
    EXPECT_TRUE(at::equal(model_->parameters()[i].second, other->parameters()[i].second));
    EXPECT_TRUE(other->parameters()[i].second.requires_grad());
  }
  EXPECT_TRUE(at::equal(other->buffers()[0].second, mean));
  const auto file = io::read_safetensors(file_);
  EXPECT_EQ(file.metadata.at("architecture"), "convmixer_nano_patch4_32");
  EXPECT_EQ(file.metadata.at("cell"), "abc");
}

TEST_F(WeightsTest, CountersArePassedOverAndHalvesWidened) {
  weights_.tensors["stem.2.num_batches_tracked"] = at::full({}, 9, at::kLong);
  weights_.tensors["head.weight"] = weights_.tensors["head.weight"].to(at::kHalf);
  const auto other = make(4);
  load_weights(*other, weights_);
  EXPECT_EQ(other->parameters()[0].second.scalar_type(), at::kFloat);
}

TEST_F(WeightsTest, MissingTensor) {
  weights_.tensors.erase("blocks.2.remixer.kappa");
  expect_refused("'blocks.2.remixer.kappa'");
}

TEST_F(WeightsTest, ExtraTensor) {
  weights_.tensors["blocks.9.1.bias"] = at::full({64}, 1.0, at::kFloat);
  expect_refused("'blocks.9.1.bias'");
}

TEST_F(WeightsTest, WrongShape) {
  weights_.tensors["head.weight"] = at::full({9, 64}, 1.0, at::kFloat);
  expect_refused("'head.weight'");
}

TEST_F(WeightsTest, WrongType) {
  weights_.tensors["head.bias"] = at::full({10}, 1, at::kLong);
  expect_refused("'head.bias'");
}

TEST_F(WeightsTest, NotFinite) {
  weights_.tensors["head.bias"] =
      at::full({10}, std::numeric_limits<double>::quiet_NaN(), at::kFloat);
  expect_refused("not finite");
}

TEST_F(WeightsTest, FileTellsItsModel) {
  const ModelSpec spec = spec_of_weights(weights_, "convmixer_nano_patch4_32");
  EXPECT_TRUE(spec.remixer);
  EXPECT_EQ(spec.num_classes, 10);
  EXPECT_EQ(spec.image_size, 32);
  EXPECT_EQ(spec.spatial_prior, "none");
  weights_.tensors.erase("head.weight");
  EXPECT_THROW(spec_of_weights(weights_, "convmixer_nano_patch4_32"), InputError);
}

}  // namespace
}  // namespace remixer::models
