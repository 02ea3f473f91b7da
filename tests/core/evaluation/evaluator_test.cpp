// SPDX-License-Identifier: Apache-2.0
#include "core/evaluation/evaluator.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "core/kernels/operators.h"
#include "core/loading/loader.h"
#include "core/models/weights.h"
#include "core/training/cell_model.h"
#include "tests/core/training/tiny_cell.h"
#include "tests/support/program.h"

namespace remixer::evaluation {
namespace {

class EvaluatorTest : public ::testing::Test {
 protected:
  EvaluatorTest() : scratch_("evaluator") {
    at::set_num_threads(1);
    remixer::testing::write_tiny_dataset(scratch_ / "data", 6, 31);
    dataset_ = data::Dataset::open(scratch_ / "data", "original");
    labels_ = std::make_unique<remixer::testing::BoxLabels>(*dataset_);
    job_.cell = remixer::testing::tiny_cell("deit_nano_patch4_32", true);
    job_.dataset = scratch_ / "data";
    job_.eval_set = "original";
    job_.labels = labels_.get();
    job_.weights = scratch_ / "model.safetensors";
    job_.batch_size = 8;
  }

  // Untrained weights with a κ that matters and a head large enough to tell images apart.
  std::unique_ptr<models::Model> save_model() {
    auto model = models::create_model(training::model_spec(job_.cell, *dataset_), 11);
    at::NoGradGuard no_grad;
    for (const auto& [name, parameter] : model->parameters()) {
      if (models::is_kappa(name)) parameter.fill_(0.8);
      if (name == "head.weight") parameter.mul_(20);
    }
    models::save_weights(*model, job_.weights);
    return model;
  }

  remixer::testing::ScratchFolder scratch_;
  std::optional<data::Dataset> dataset_;
  std::unique_ptr<remixer::testing::BoxLabels> labels_;
  EvaluateJob job_;
  training::SoloCommunicator solo_;
};

TEST_F(EvaluatorTest, CountsWhatTheModelSaysOfEachImage) {
  const auto model = save_model();
  training::SampleStore store(*dataset_, labels_.get(), 8);
  at::NoGradGuard no_grad;
  int64_t correct = 0;
  std::vector<uint16_t> predictions;
  for (int64_t i = 0; i < 31; ++i) {
    const auto batch = training::make_batch(store, {{i, false}});
    const auto logits =
        model->forward(batch.images, kernels::label_distance(batch.patch_labels, "l1"), {});
    predictions.push_back(static_cast<uint16_t>(logits.argmax(1).item<int64_t>()));
    correct += predictions.back() == dataset_->samples()[static_cast<size_t>(i)].label;
  }
  ASSERT_GT(correct, 0);
  ASSERT_LT(correct, 31);
  int64_t last_done = 0;
  job_.on_progress = [&](int64_t done, int64_t total) {
    EXPECT_GT(done, last_done);
    EXPECT_EQ(total, 31);
    last_done = done;
  };
  const Evaluation evaluation = evaluate(job_, solo_);
  EXPECT_EQ(evaluation.n, 31);
  for (int64_t i = 0; i < 31; ++i) {
    EXPECT_EQ(evaluation.predictions.likely(i)[0], predictions[static_cast<size_t>(i)]) << i;
  }
  EXPECT_DOUBLE_EQ(evaluation.top1, 100.0 * static_cast<double>(correct) / 31);
  EXPECT_EQ(evaluation.top5, 100);  // three classes
  EXPECT_EQ(last_done, 31);
}

TEST_F(EvaluatorTest, BadInputIsNamed) {
  EXPECT_THROW(evaluate(job_, solo_), InputError);  // no weights yet
  save_model();
  auto job = job_;
  job.labels = nullptr;
  EXPECT_THROW(evaluate(job, solo_), InputError);
  job = job_;
  job.eval_set = "mixed_rand";
  EXPECT_THROW(evaluate(job, solo_), InputError);
  job = job_;
  job.cell.architecture = "mixer_nano_patch4_32";
  EXPECT_THROW(evaluate(job, solo_), InputError);
  const auto image = dataset_->image_path(dataset_->samples()[20]);
  write_file_atomic(image, "not an image");
  try {
    evaluate(job_, solo_);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find(image.filename().string()), std::string::npos);
  }
}

}  // namespace
}  // namespace remixer::evaluation
