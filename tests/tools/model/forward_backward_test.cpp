// SPDX-License-Identifier: Apache-2.0
#include "tools/model/forward_backward.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/tensor.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "core/kernels/operators.h"
#include "core/models/weights.h"
#include "tests/core/kernels/numeric.h"
#include "tests/core/models/folder.h"

namespace remixer::models {
namespace {

using remixer::testing::difference;
using remixer::testing::Draw;

class ToolTest : public remixer::testing::FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    const at::NoGradGuard no_grad;
    for (const auto& [name, tensor] : model_->parameters()) {
      if (is_kappa(name)) tensor.fill_(0.7);
    }
    save_weights(*model_, path("w"));
    io::write_safetensors(path("x"),
                          {{"images", images_}, {"labels", labels_}, {"targets", targets_}});
  }
  std::string path(const std::string& name) const {
    return (folder_ / (name + ".safetensors")).string();
  }

  static int run(std::vector<std::string> words) {
    words.insert(words.begin(), "model");
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    return model_command(static_cast<int>(arguments.size()), arguments.data());
  }
  int run_model(const std::string& verb, std::vector<std::string> more) const {
    std::vector<std::string> words{verb, "--arch", "deit_nano_patch4_32", "--output", path("y")};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }

  std::unique_ptr<Model> model_ = create_model(
      {.architecture = "deit_nano_patch4_32", .num_classes = 10, .image_size = 32, .remixer = true},
      3);
  Draw draw_{81};
  at::Tensor images_ = draw_.normal({2, 3, 32, 32}).to(at::kFloat);
  at::Tensor labels_ = draw_.uniform({2, 64, 3}).to(at::kFloat);
  at::Tensor targets_ = at::tensor({4, 9}, at::kLong);
};

TEST_F(ToolTest, ForwardWritesTheModelsLogits) {
  ASSERT_EQ(
      run_model("forward", {"--weights", path("w"), "--input", path("x"), "--distance", "cosine"}),
      0);
  const at::Tensor expected =
      model_->forward(images_, kernels::label_distance(labels_, "cosine"), {});
  EXPECT_LT(difference(io::read_safetensors(path("y")).at("logits"), expected), 1e-5);
}

TEST_F(ToolTest, BackwardWritesEveryGradient) {
  ASSERT_EQ(run_model("backward", {"--weights", path("w"), "--input", path("x")}), 0);
  at::cross_entropy_loss(model_->forward(images_, kernels::label_distance(labels_, "l1"), {}),
                         targets_)
      .backward();
  const auto gradients = io::read_safetensors(path("y"));
  EXPECT_EQ(gradients.tensors.size(), model_->parameters().size());
  for (const auto& [name, tensor] : model_->parameters()) {
    EXPECT_LT(difference(gradients.at(name), tensor.grad()), 1e-5) << name;
  }
}

TEST_F(ToolTest, ExportWithoutKappaIsAPlainModelThatImportTakes) {
  ASSERT_EQ(run_model("export", {"--weights", path("w"), "--without-kappa"}), 0);
  std::filesystem::rename(path("y"), path("plain"));
  ASSERT_EQ(run_model("import", {"--weights", path("plain"), "--add-kappa"}), 0);
  const auto file = io::read_safetensors(path("y"));
  for (const auto& [name, tensor] : model_->parameters()) {
    EXPECT_EQ(difference(file.at(name), is_kappa(name) ? tensor * 0 : tensor), 0) << name;
  }
}

TEST_F(ToolTest, BadUseEndsWithTwo) {
  EXPECT_EQ(run({"forward", "--arch"}), kExitBadInput);
  EXPECT_EQ(run({}), kExitBadInput);
  EXPECT_EQ(
      run_model("forward", {"--weights", path("w"), "--input", path("x"), "--distance", "l7"}),
      kExitBadInput);
}

TEST_F(ToolTest, BadInputIsNamed) {
  EXPECT_THROW(run_model("forward", {"--weights", path("none"), "--input", path("x")}), InputError);
  io::write_safetensors(path("x"), {{"images", images_}});
  EXPECT_THROW(run_model("forward", {"--weights", path("w"), "--input", path("x")}), InputError);
  io::write_safetensors(path("x"),
                        {{"images", images_}, {"labels", labels_}, {"targets", targets_ + 1}});
  EXPECT_THROW(run_model("backward", {"--weights", path("w"), "--input", path("x")}), InputError);
  io::write_safetensors(path("x"), {{"images", images_}, {"labels", labels_.slice(1, 0, 9)}});
  EXPECT_THROW(run_model("forward", {"--weights", path("w"), "--input", path("x")}), InputError);
  const at::Tensor spoilt = labels_.clone();
  spoilt[1][5][2] = std::nan("");
  io::write_safetensors(path("x"), {{"images", images_}, {"labels", spoilt}});
  EXPECT_THROW(run_model("forward", {"--weights", path("w"), "--input", path("x")}), InputError);
}

TEST_F(ToolTest, ListIsReadableByPrograms) {
  ::testing::internal::CaptureStdout();
  ASSERT_EQ(run({"list", "--format", "json"}), 0);
  const auto rows = nlohmann::json::parse(::testing::internal::GetCapturedStdout());
  EXPECT_EQ(rows.size(), architecture_names().size());
}

}  // namespace
}  // namespace remixer::models
