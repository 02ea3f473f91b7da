// SPDX-License-Identifier: Apache-2.0
// Runs on every rank of an mpirun: the same cell trained by each rank alone and by all together.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "core/distributed/mpi_communicator.h"
#include "core/evaluation/evaluator.h"
#include "core/io/safetensors.h"
#include "core/training/trainer.h"
#include "tests/core/training/tiny_cell.h"
#include "tests/support/program.h"

namespace remixer::training {
namespace {

MpiCommunicator& world() {
  static MpiCommunicator communicator(60);
  return communicator;
}

struct Trained {
  std::vector<double> losses;  // on rank 0 of the communicator
  TrainOutcome outcome;
  std::filesystem::path folder;
};

class RanksTest : public ::testing::TestWithParam<std::pair<std::string, std::string>> {
 protected:
  // Each rank has a folder of its own for its run alone; rank 0's is shared as well.
  RanksTest() : scratch_("ranks") {
    shared_ = world().broadcast(scratch_.path().string());
    if (world().rank() == 0) remixer::testing::write_tiny_dataset(shared_ / "data", 170, 50);
    world().barrier();
    const data::Dataset dataset = data::Dataset::open(shared_ / "data", "train");
    labels_ = std::make_unique<remixer::testing::BoxLabels>(dataset);
    class_labels_ = std::make_unique<remixer::testing::ClassLabels>(dataset);
  }
  ~RanksTest() override { world().barrier(); }

  Trained run(const experiments::Cell& cell, const fs::path& folder, Communicator& communicator,
              int64_t stop_at = -1) {
    Trained trained;
    TrainJob job;
    job.cell = cell;
    job.dataset = shared_ / "data";
    job.labels = cell.recipe.token_labeling == "none"
                     ? static_cast<data::LabelSource*>(labels_.get())
                     : class_labels_.get();
    job.folder = trained.folder = folder;
    job.on_step = [&](const Progress& progress) {
      trained.losses.push_back(progress.loss);
      return progress.step == stop_at ? Directive::kStop : Directive::kContinue;
    };
    trained.outcome = train(job, communicator);
    return trained;
  }

  remixer::testing::ScratchFolder scratch_;
  fs::path shared_;
  std::unique_ptr<remixer::testing::BoxLabels> labels_;
  std::unique_ptr<remixer::testing::ClassLabels> class_labels_;
};

experiments::Cell fifty_steps(const std::string& architecture, const std::string& prior) {
  auto cell = remixer::testing::tiny_cell(architecture, true);
  cell.spatial_prior = prior;
  cell.recipe.epochs = 10;  // of 5 steps
  cell.recipe.drop_path = 0.1;
  return cell;
}

TEST_P(RanksTest, TogetherTrainTheSameModelAsAlone) {
  const auto cell = fifty_steps(GetParam().first, GetParam().second);
  SoloCommunicator solo;
  const Trained alone = run(cell, scratch_ / "alone", solo);
  const Trained together = run(cell, shared_ / "together", world());
  EXPECT_EQ(alone.outcome.steps, 50);
  EXPECT_EQ(together.outcome.steps, 50);
  EXPECT_NEAR(together.outcome.final_loss, alone.outcome.final_loss, 1e-3);
  if (world().rank() == 0) {
    ASSERT_EQ(together.losses.size(), 50u);
    const auto one = io::read_safetensors(alone.folder / "model.safetensors");
    const auto all = io::read_safetensors(together.folder / "model.safetensors");
    ASSERT_EQ(one.tensors.size(), all.tensors.size());
    // Running statistics among them, which follow shard 0 on whatever rank. A gradient that is zero
    // but for rounding moves AdamW by up to a step's rate, so single weights may differ by more
    // than losses do.
    for (const auto& [name, values] : one.tensors) {
      EXPECT_LT((values - all.at(name)).abs().max().item<double>(), 5e-3) << name;
    }
    double largest = 0;
    for (size_t i = 0; i < 50; ++i) {
      largest = std::max(largest, std::abs(together.losses[i] - alone.losses[i]));
      // Sums in another order differ in their last bits, and training lets that grow slowly.
      EXPECT_NEAR(together.losses[i], alone.losses[i], i < 5 ? 2e-6 : 1e-4) << "step " << i + 1;
    }
    fmt::print("losses differ by at most {:g}; the last is {:g}\n", largest, alone.losses.back());
  }
}

TEST_P(RanksTest, ResumeBitForBit) {
  const auto cell = fifty_steps(GetParam().first, GetParam().second);
  const Trained whole = run(cell, shared_ / "whole", world());
  run(cell, shared_ / "part", world(), 13);
  const Trained part = run(cell, shared_ / "part", world());
  EXPECT_EQ(part.outcome.resumed_at, 13);
  EXPECT_EQ(part.outcome.final_loss, whole.outcome.final_loss);
  EXPECT_EQ(read_file(whole.folder / "model.safetensors"),
            read_file(part.folder / "model.safetensors"));
}

TEST_P(RanksTest, EvaluateToTheSameAnswer) {
  auto cell = fifty_steps(GetParam().first, GetParam().second);
  cell.recipe.epochs = 2;
  run(cell, shared_ / "trained", world());
  const remixer::testing::BoxLabels labels(data::Dataset::open(shared_ / "data", "original"));
  evaluation::EvaluateJob job;
  job.cell = cell;
  job.dataset = shared_ / "data";
  job.eval_set = "original";
  job.labels = &labels;
  job.weights = shared_ / "trained/model.safetensors";
  job.batch_size = 16;
  SoloCommunicator solo;
  const auto alone = evaluation::evaluate(job, solo), together = evaluation::evaluate(job, world());
  EXPECT_EQ(alone.n, 50);
  EXPECT_EQ(alone.predictions, together.predictions);
  EXPECT_EQ(alone.top1, together.top1);
  EXPECT_EQ(alone.top5, together.top5);
}

INSTANTIATE_TEST_SUITE_P(Models, RanksTest,
                         ::testing::Values(std::pair("deit_nano_patch4_32", "none"),
                                           std::pair("mixer_nano_patch4_32", "none"),
                                           std::pair("convmixer_nano_patch4_32", "none"),
                                           std::pair("deit_nano_patch4_32", "convit")),
                         [](const ::testing::TestParamInfo<RanksTest::ParamType>& instance) {
                           return instance.param.first + "_" + instance.param.second;
                         });

using ShardsTest = RanksTest;

// Held-out images, TokenLabeling, a moving average, Mixup, clipping: all of it on any number of
// ranks.
TEST_F(ShardsTest, TheWholeRecipeAgrees) {
  for (const char* kind : {"oamixer", "original"}) {
    auto cell = remixer::testing::full_cell("deit_nano_patch4_32");
    cell.recipe.token_labeling = kind;
    if (cell.recipe.token_labeling == "original") cell.recipe.mixup = cell.recipe.cutmix = 0;
    SoloCommunicator solo;
    const Trained alone = run(cell, scratch_ / "alone", solo);
    const Trained together = run(cell, shared_ / "together", world());
    ASSERT_TRUE(alone.outcome.best && together.outcome.best);
    EXPECT_NEAR(together.outcome.final_loss, alone.outcome.final_loss, 1e-3);
    // One image of 34 may fall to the other side by rounding.
    EXPECT_NEAR(together.outcome.best->top1, alone.outcome.best->top1, 3);
    if (world().rank() == 0) {
      ASSERT_EQ(together.losses.size(), alone.losses.size());
      for (size_t i = 0; i < alone.losses.size(); ++i) {
        EXPECT_NEAR(together.losses[i], alone.losses[i], 2e-4) << kind << " step " << i + 1;
      }
      const auto one = io::read_safetensors(alone.folder / "ema.safetensors");
      const auto all = io::read_safetensors(together.folder / "ema.safetensors");
      for (const auto& [name, values] : one.tensors) {
        EXPECT_LT((values - all.at(name)).abs().max().item<double>(), 5e-3) << name;
      }
    }
    world().barrier();
    fs::remove_all(scratch_ / "alone");
    if (world().rank() == 0) fs::remove_all(shared_ / "together");
    world().barrier();
  }
}

TEST_F(ShardsTest, ShardsThatCannotBeDividedAreRefused) {
  auto cell = remixer::testing::tiny_cell("mixer_nano_patch4_32", false);
  cell.recipe.shards = 3;
  if (3 % world().size() != 0) {
    EXPECT_THROW(run(cell, shared_ / "odd", world()), InputError);
  }
}

}  // namespace
}  // namespace remixer::training

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  remixer::training::MpiSession session(&argc, &argv);
  at::set_num_threads(1);
  return RUN_ALL_TESTS();
}
