// SPDX-License-Identifier: Apache-2.0
#include "core/training/trainer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "core/io/safetensors.h"
#include "core/kernels/operators.h"
#include "core/models/weights.h"
#include "core/training/cell_model.h"
#include "core/training/checkpoint.h"
#include "core/training/hold_out.h"
#include "core/training/mixup.h"
#include "core/training/plan.h"
#include "tests/core/training/tiny_cell.h"
#include "tests/support/program.h"

namespace remixer::training {
namespace {

using remixer::testing::tiny_cell;

class TrainerTest : public ::testing::Test {
 protected:
  TrainerTest() : scratch_("trainer") {
    at::set_num_threads(1);
    remixer::testing::write_tiny_dataset(scratch_ / "data", 100, 8);
    labels_ = std::make_unique<remixer::testing::BoxLabels>(
        data::Dataset::open(scratch_ / "data", "train"));
  }

  TrainJob job(const experiments::Cell& cell, const std::string& folder) {
    TrainJob job;
    job.cell = cell;
    job.dataset = scratch_ / "data";
    job.labels = labels_.get();
    job.folder = scratch_ / folder;
    job.checkpoint_seconds = 1e9;
    job.on_step = [this](const Progress& progress) {
      losses_.push_back(progress.loss);
      metrics_.insert(metrics_.end(), progress.metrics.begin(), progress.metrics.end());
      return progress.step == stop_at_ ? Directive::kStop : Directive::kContinue;
    };
    return job;
  }

  TrainOutcome train_alone(const TrainJob& job) {
    SoloCommunicator solo;
    return train(job, solo);
  }

  // What was reported since the last call, but for rates and the machine: value by "name/step", the
  // last one if there were several.
  std::map<std::string, double> take_curves() {
    std::map<std::string, double> curves;
    for (const Metric& metric : std::exchange(metrics_, {})) {
      if (metric.name == "images_per_second" || metric.name.starts_with("system.")) continue;
      curves[fmt::format("{}/{}", metric.name, metric.step)] = metric.value;
    }
    return curves;
  }

  remixer::testing::ScratchFolder scratch_;
  std::unique_ptr<remixer::testing::BoxLabels> labels_;
  std::vector<double> losses_;
  std::vector<Metric> metrics_;
  int64_t stop_at_ = -1;
};

// 3 steps an epoch, 9 in all: stops inside epochs and at their ends.
TEST_F(TrainerTest, ResumedRunEqualsTheUninterruptedOneBitForBit) {
  auto cell = tiny_cell("convmixer_nano_patch4_32", true);
  cell.recipe.ema_decay = 0.9;
  cell.recipe.clip_gradient = 1;
  const TrainOutcome whole = train_alone(job(cell, "whole"));
  ASSERT_TRUE(whole.finished);
  EXPECT_EQ(whole.steps, 9);
  const std::vector<double> losses = std::exchange(losses_, {});
  const std::map<std::string, double> curves = take_curves();
  EXPECT_EQ(curves.at("loss/9"), std::accumulate(losses.begin(), losses.end(), 0.0) / 9);
  const std::string weights = read_file(scratch_ / "whole/model.safetensors");
  const std::string averaged = read_file(scratch_ / "whole/ema.safetensors");
  EXPECT_NE(weights, averaged);

  for (const std::vector<int64_t>& stops : {std::vector<int64_t>{1}, {3, 7}, {4, 5, 8}}) {
    std::vector<std::filesystem::path> folders;
    for (size_t i = 0; i <= stops.size(); ++i) {
      stop_at_ = i < stops.size() ? stops[i] : -1;
      TrainJob part = job(cell, fmt::format("{}-{}", stops[0], i));
      part.resume_from = folders;
      part.loader_threads = static_cast<int>(i) + 1;
      const TrainOutcome outcome = train_alone(part);
      EXPECT_EQ(outcome.finished, i == stops.size());
      EXPECT_EQ(outcome.resumed_at, i == 0 ? 0 : stops[i - 1]);
      if (outcome.finished) {
        EXPECT_EQ(outcome.final_loss, whole.final_loss);
        EXPECT_EQ(outcome.kappa, whole.kappa);
        EXPECT_EQ(read_file(part.folder / "model.safetensors"), weights);
        EXPECT_EQ(read_file(part.folder / "ema.safetensors"), averaged);
      }
      folders.push_back(part.folder);
    }
    EXPECT_EQ(std::exchange(losses_, {}), losses);
    EXPECT_EQ(take_curves(), curves);
  }
}

TEST_F(TrainerTest, DropPathIsDrawnAgainAfterAResume) {
  auto cell = tiny_cell("deit_nano_patch4_32", true);
  cell.recipe.drop_path = 0.5;
  cell.recipe.epochs = 2;
  train_alone(job(cell, "whole"));
  stop_at_ = 2;
  train_alone(job(cell, "part"));
  stop_at_ = -1;
  train_alone(job(cell, "part"));
  EXPECT_EQ(read_file(scratch_ / "whole/model.safetensors"),
            read_file(scratch_ / "part/model.safetensors"));
}

TEST_F(TrainerTest, TornCheckpointCostsOnlyTheWorkSinceTheOneBefore) {
  const auto cell = tiny_cell("mixer_nano_patch4_32", true);
  train_alone(job(cell, "whole"));
  TrainJob part = job(cell, "part");
  part.checkpoint_seconds = 0;
  stop_at_ = 5;
  train_alone(part);
  const fs::path newest = part.folder / checkpoint_name(5);
  const std::string bytes = read_file(newest);
  write_file_atomic(newest, bytes.substr(0, bytes.size() - 100));
  stop_at_ = -1;
  EXPECT_EQ(train_alone(part).resumed_at, 4);
  EXPECT_EQ(read_file(scratch_ / "whole/model.safetensors"),
            read_file(part.folder / "model.safetensors"));
}

TEST_F(TrainerTest, LossFallsAndMetricsAreReported) {
  auto cell = tiny_cell("deit_nano_patch4_32", true);
  cell.recipe.epochs = 14;
  cell.recipe.mixup = cell.recipe.cutmix = 0;
  cell.recipe.label_smoothing = 0;
  const TrainOutcome outcome = train_alone(job(cell, "run"));
  EXPECT_EQ(outcome.steps, 42);
  EXPECT_NEAR(losses_.front(), std::log(3.0), 0.2);
  EXPECT_LT(outcome.final_loss, 0.6 * losses_.front());
  ASSERT_EQ(outcome.kappa.size(), 4u);
  for (double kappa : outcome.kappa) EXPECT_GE(kappa, 0);

  std::map<std::string, std::vector<Metric>> by_name;
  for (const Metric& metric : metrics_) by_name[metric.name].push_back(metric);
  for (size_t block = 0; block < 4; ++block) {
    EXPECT_EQ(by_name[fmt::format("kappa.{}", block)].back().value, outcome.kappa[block]);
  }
  for (const char* name : {"system.cpu_percent", "system.memory_percent"}) {
    EXPECT_EQ(by_name[name].size(), 3u) << name;
  }
  EXPECT_GE(by_name["system.loader_stall_percent"].at(0).value, 0);
  std::erase_if(by_name, [](const auto& each) { return each.first.starts_with("system."); });
  EXPECT_EQ(by_name.size(), 8u);
  ASSERT_EQ(by_name["base_lr"].size(), 1u);
  EXPECT_EQ(by_name["base_lr"][0].value, 2e-3);
  ASSERT_EQ(by_name["loss"].size(), 3u);  // at steps 20, 40 and 42
  double mean = 0;
  for (size_t i = 20; i < 40; ++i) mean += losses_[i] / 20;
  EXPECT_NEAR(by_name["loss"][1].value, mean, 1e-12);
  EXPECT_EQ(by_name["loss"][1].step, 40);
  EXPECT_NEAR(by_name["loss"][1].epoch, 40 / 3.0, 1e-12);
  EXPECT_EQ(by_name["kappa.3"].back().value, outcome.kappa[3]);
  EXPECT_GT(by_name["images_per_second"][0].value, 0);
}

// The first step of AdamW has the rate's length and the gradient's sign, so κ must rise to its rate
// exactly in the blocks where a small κ would lower the first batch's loss.
TEST_F(TrainerTest, KappaRisesWhereItLowersTheLoss) {
  int rising = 0, staying = 0;
  for (const char* architecture :
       {"deit_nano_patch4_32", "mixer_nano_patch4_32", "convmixer_nano_patch4_32"}) {
    auto cell = tiny_cell(architecture, true);
    cell.recipe.mixup = cell.recipe.cutmix = cell.recipe.warmup_epochs = cell.recipe.drop_path = 0;
    cell.recipe.schedule_unit = "step";
    const auto dataset = open_split(cell, scratch_ / "data", "train");
    const auto model = models::create_model(model_spec(cell, dataset), 0);
    SampleStore store(dataset, labels_.get(), model->grid());
    const TrainingPlan plan(cell.recipe, 0, store.size());
    const auto first_loss = [&] {
      double sum = 0;
      for (int64_t shard = 0; shard < cell.recipe.shards; ++shard) {
        Batch batch = make_batch(store, plan.shard(0, shard));
        const auto targets = apply_mix({}, batch, model->grid(), 3, cell.recipe.label_smoothing);
        const auto distance = kernels::label_distance(batch.patch_labels, cell.distance);
        const auto logits = model->forward(batch.images, distance, {.training = true});
        sum += soft_cross_entropy(logits, targets).item<double>();
      }
      return sum;
    };
    stop_at_ = 1;
    const TrainOutcome outcome = train_alone(job(cell, architecture));
    at::NoGradGuard no_grad;
    const double before = first_loss();
    size_t block = 0;
    for (const auto& [name, parameter] : model->parameters()) {
      if (!models::is_kappa(name)) continue;
      parameter.fill_(0.05);
      const double slope = first_loss() - before;
      parameter.zero_();
      const double kappa = outcome.kappa[block++];
      if (std::abs(slope) < 4e-6) continue;  // within float32's noise
      EXPECT_NEAR(kappa, slope < 0 ? 1e-2 : 0, 1e-4) << architecture << " " << name << " " << slope;
      (slope < 0 ? rising : staying)++;
    }
  }
  EXPECT_GT(rising, 0);
  EXPECT_GT(staying, 0);
}

TEST_F(TrainerTest, PlainCellNeedsNoLabelsAndHasNoKappa) {
  TrainJob plain = job(tiny_cell("mixer_nano_patch4_32", false), "run");
  plain.labels = nullptr;
  EXPECT_TRUE(train_alone(plain).kappa.empty());
  EXPECT_FALSE(
      io::read_safetensors(plain.folder / "model.safetensors").has("blocks.0.remixer.kappa"));
  EXPECT_FALSE(fs::exists(plain.folder / "ema.safetensors"));
}

TEST_F(TrainerTest, LossThatIsNotFiniteEndsTheRun) {
  auto cell = tiny_cell("mixer_nano_patch4_32", false);
  cell.recipe.learning_rate = 1e30;
  cell.recipe.warmup_epochs = 0;
  try {
    train_alone(job(cell, "run"));
    FAIL() << "went on with a loss that is not finite";
  } catch (const InputError&) {
    FAIL() << "not the input's fault";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("at step 2 (epoch 0) with learning rate 1e+30"));
  }
  EXPECT_FALSE(fs::exists(scratch_ / "run/model.safetensors"));
}

TEST_F(TrainerTest, LossThatExplodesEndsTheRunNamingTheLastGoodCheckpoint) {
  auto cell = tiny_cell("mixer_nano_patch4_32", false);
  cell.recipe.warmup_epochs = 0;
  stop_at_ = 1;
  cell.recipe.learning_rate = 30;  // logits in the thousands, all finite
  train_alone(job(cell, "run"));
  stop_at_ = -1;
  try {
    train_alone(job(cell, "run"));
    FAIL() << "went on with a loss that has exploded";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("the loss has exploded to "));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("with learning rate 30"));
    EXPECT_THAT(error.what(),
                ::testing::HasSubstr("last good checkpoint: " +
                                     (scratch_ / "run/checkpoint-00000001.safetensors").string()));
  }
}

// Weights that an update has spoilt never reach a checkpoint, nor a finished model.
TEST_F(TrainerTest, CheckpointsHoldFiniteWeightsOnly) {
  auto cell = tiny_cell("mixer_nano_patch4_32", false);
  cell.recipe.warmup_epochs = 0;
  cell.recipe.learning_rate = 1e39;  // infinite as a float
  TrainJob spoilt = job(cell, "run");
  spoilt.checkpoint_seconds = 0;
  EXPECT_THROW(train_alone(spoilt), Error);
  EXPECT_FALSE(find_checkpoint({spoilt.folder}, cell.id()));
}

TEST_F(TrainerTest, TheBestEpochIsThatOfTheHeldOutImages) {
  auto cell = tiny_cell("convmixer_nano_patch4_32", true);
  cell.recipe.hold_out = 0.3;
  cell.recipe.epochs = 6;
  cell.recipe.mixup = cell.recipe.cutmix = 0;
  const TrainOutcome outcome = train_alone(job(cell, "run"));
  EXPECT_EQ(outcome.steps, 12);  // 70 images left: 2 steps of 32 an epoch
  std::vector<Metric> top1, loss;
  for (const Metric& metric : metrics_) {
    if (metric.name == "hold_out.top1") top1.push_back(metric);
    if (metric.name == "hold_out.loss") loss.push_back(metric);
  }
  ASSERT_EQ(top1.size(), 6u);
  ASSERT_TRUE(outcome.best);
  size_t best = 0;
  for (size_t i = 1; i < 6; ++i) {
    if (std::pair(top1[i].value, -loss[i].value) > std::pair(top1[best].value, -loss[best].value))
      best = i;
  }
  EXPECT_EQ(outcome.best->epoch, static_cast<int64_t>(best));
  EXPECT_EQ(outcome.best->top1, top1[best].value);

  // The file holds that epoch's weights: measured again they give that figure.
  const data::Dataset dataset = data::Dataset::open(scratch_ / "data", "train");
  const auto model = models::create_model(model_spec(cell, dataset), 0);
  models::load_weights(*model, scratch_ / "run/best.safetensors");
  SampleStore store(dataset, labels_.get(), model->grid());
  SoloCommunicator solo;
  const Division division = divide(0, store.size(), 0.3);
  const HeldOut again = measure(cell, *model, store, division.held_out, solo, 1);
  EXPECT_EQ(again.top1, top1[best].value);
  EXPECT_EQ(again.loss, loss[best].value);

  const TrainOutcome without = train_alone(job(tiny_cell("mixer_nano_patch4_32", false), "other"));
  EXPECT_FALSE(without.best);
  EXPECT_FALSE(fs::exists(scratch_ / "other/best.safetensors"));
}

// Labels that are not numbers would spoil the loss of any step that met them.
TEST_F(TrainerTest, HeldOutImagesAreNeverTrainedOn) {
  class Poisoned : public remixer::testing::BoxLabels {
   public:
    using BoxLabels::BoxLabels;
    data::LabelMap map(std::string_view id) const override {
      data::LabelMap map = BoxLabels::map(id);
      if (poisoned.contains(std::string(id))) map.values.assign(map.values.size(), std::nanf(""));
      return map;
    }
    std::set<std::string> poisoned;
  };
  const data::Dataset dataset = data::Dataset::open(scratch_ / "data", "train");
  Poisoned labels(dataset);
  auto cell = tiny_cell("deit_nano_patch4_32", true);
  cell.seed = 4;
  cell.recipe.hold_out = 0.3;
  for (int64_t sample : divide(4, 100, 0.3).held_out) {
    labels.poisoned.insert(dataset.samples()[static_cast<size_t>(sample)].id);
  }
  TrainJob held = job(cell, "held");
  held.labels = &labels;
  EXPECT_TRUE(train_alone(held).finished);
  cell.recipe.hold_out = 0;
  TrainJob met = job(cell, "met");
  met.labels = &labels;
  EXPECT_THROW(train_alone(met), Error);
}

TEST_F(TrainerTest, WhatContradictsTheCellIsRefused) {
  const auto cell = tiny_cell("deit_nano_patch4_32", true);
  TrainJob unlabelled = job(cell, "run");
  unlabelled.labels = nullptr;
  EXPECT_THROW(train_alone(unlabelled), InputError);

  auto other = cell;
  other.dataset.version = 2;
  EXPECT_THROW(train_alone(job(other, "run")), InputError);

  stop_at_ = 1;
  train_alone(job(cell, "run"));
  other = cell;
  other.seed = 1;
  EXPECT_THROW(train_alone(job(other, "run")), InputError);
}

}  // namespace
}  // namespace remixer::training
