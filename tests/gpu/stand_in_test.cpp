// SPDX-License-Identifier: Apache-2.0
// What runs on a GPU, on a device that stands in for one: nothing is left on the CPU, and a step
// waits for the device once.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "core/evaluation/evaluator.h"
#include "core/explain/saliency.h"
#include "core/training/cell_model.h"
#include "core/training/metrics.h"
#include "core/training/trainer.h"
#include "experiments/spec/components.h"
#include "labelcache/labelers/label_job.h"
#include "labelcache/labelers/label_pin.h"
#include "labelcache/labelers/network_on_device.h"
#include "tests/core/training/tiny_cell.h"
#include "tests/support/program.h"
#include "tests/support/stand_in_device.h"

namespace remixer {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::FloatNear;
using testing::kStandIn;
using ::testing::Pair;
using ::testing::Pointwise;
using testing::take_host_waits;

// One rank on the device.
class AloneOnDevice : public training::SoloCommunicator {
 public:
  at::Device device() const override { return kStandIn; }
};

class StandInTest : public ::testing::Test {
 protected:
  StandInTest() : scratch_("stand-in") {
    at::set_num_threads(1);
    testing::write_tiny_dataset(scratch_ / "data", 64, 12);
    const auto train = data::Dataset::open(scratch_ / "data", "train");
    boxes_ = std::make_unique<testing::BoxLabels>(train);
    classes_ = std::make_unique<testing::ClassLabels>(train);
  }

  training::TrainJob job(const experiments::Cell& cell, const std::string& folder) {
    training::TrainJob job;
    job.cell = cell;
    job.dataset = scratch_ / "data";
    job.labels = boxes_.get();
    if (cell.labeler && cell.labeler->name == "relabel") job.labels = classes_.get();
    job.folder = scratch_ / folder;
    job.checkpoint_seconds = 1e9;
    job.on_step = [this](const training::Progress& progress) {
      losses_.push_back(progress.loss);
      steps_.push_back(take_host_waits());
      return training::Directive::kContinue;
    };
    return job;
  }

  // The losses of a whole training.
  std::vector<double> train(const training::TrainJob& job, training::Communicator& communicator) {
    losses_.clear();
    EXPECT_TRUE(training::train(job, communicator).finished);
    return std::exchange(losses_, {});
  }

  // A TorchScript classifier of six classes.
  void write_script() {
    torch::jit::Module module("network");
    module.define(
        "def forward(self, x: Tensor):\n    return torch.avg_pool2d(torch.cat([x, -x], 1), 8)\n");
    module.save(scratch_ / "model.pt");
    std::ofstream(scratch_ / "network.toml")
        << "kind = \"classifier\"\nmodel = \"model.pt\"\ninput_size = 32\n"
           "mean = [100, 110, 120]\n";
    std::ofstream(scratch_ / "mask.toml")
        << "kind = \"saliency\"\nmodel = \"model.pt\"\ninput_size = 32\nchannel = 3\n"
           "scale = \"largest\"\nactivation = \"softmax\"\ninvert = true\nstretch = true\n";
  }

  testing::ScratchFolder scratch_;
  std::unique_ptr<testing::BoxLabels> boxes_;
  std::unique_ptr<testing::ClassLabels> classes_;
  std::vector<double> losses_;
  // What the host waited for in each step, and since the last one.
  std::vector<std::map<std::string, int>> steps_;
  training::SoloCommunicator alone_;
  AloneOnDevice on_device_;
};

TEST_F(StandInTest, TheDeviceRefusesTensorsOfTheCpuAndCountsWaits) {
  const at::Tensor here = at::arange(6, at::kFloat).view({2, 3}), there = here.to(kStandIn);
  EXPECT_THROW(there + here, c10::Error);
  EXPECT_TRUE(at::equal((there * 2 + there).cpu(), here * 3));
  at::Tensor part = there.select(0, 1);
  part.add_(1);
  EXPECT_EQ(there.cpu().sum().item<float>(), 18);
  EXPECT_EQ(there.index({there > 2}).numel(), 3);
  EXPECT_THAT(take_host_waits(), Contains(Pair("aten::index", 1)));
  EXPECT_EQ(there.sum().item<float>(), 18);
  there.sum().cpu();
  here.to(kStandIn);
  here.to(kStandIn, /*non_blocking=*/true);
  EXPECT_THAT(take_host_waits(), ElementsAre(Pair("a number read by the host", 1),
                                             Pair("copy to the device that is waited for", 1),
                                             Pair("copy to the host", 1)));
}

std::vector<experiments::Cell> cells() {
  std::vector<experiments::Cell> cells;
  for (const std::string architecture :
       {"deit_nano_patch4_32", "mixer_nano_patch4_32", "convmixer_nano_patch4_32"}) {
    cells.push_back(testing::tiny_cell(architecture, false));
    cells.push_back(testing::tiny_cell(architecture, true));
    cells.push_back(testing::full_cell(architecture));
  }
  cells.push_back(testing::tiny_cell("deit_nano_patch4_32", true));
  cells.back().spatial_prior = "convit";
  cells.push_back(testing::tiny_cell("convmixer_nano_patch4_32_full", true));
  for (experiments::Cell& cell : cells) cell.recipe.mixup = 0.8;
  return cells;
}

TEST_F(StandInTest, TrainsAsOnTheCpu) {
  int number = 0;
  for (const experiments::Cell& cell : cells()) {
    SCOPED_TRACE(cell.architecture + " " + cell.labeler_name + " " + cell.spatial_prior);
    const std::string name = std::to_string(++number);
    const auto expected = train(job(cell, name + "-cpu"), alone_);
    const auto losses = train(job(cell, name + "-device"), on_device_);
    ASSERT_EQ(losses.size(), expected.size());
    for (size_t i = 0; i < losses.size(); ++i) EXPECT_NEAR(losses[i], expected[i], 2e-4) << i;
  }
}

TEST_F(StandInTest, EvaluatesAsOnTheCpu) {
  const auto labels = testing::BoxLabels(data::Dataset::open(scratch_ / "data", "original"));
  for (const std::string architecture :
       {"deit_nano_patch4_32", "mixer_nano_patch4_32", "convmixer_nano_patch4_32"}) {
    SCOPED_TRACE(architecture);
    evaluation::EvaluateJob evaluate;
    evaluate.cell = testing::tiny_cell(architecture, true);
    evaluate.dataset = evaluate.trained_on = scratch_ / "data";
    evaluate.eval_set = "original";
    evaluate.labels = &labels;
    evaluate.weights = scratch_ / architecture / "model.safetensors";
    train(job(evaluate.cell, architecture), on_device_);
    const auto expected = evaluation::evaluate(evaluate, alone_);
    take_host_waits();
    const auto measured = evaluation::evaluate(evaluate, on_device_);
    EXPECT_FALSE(take_host_waits().empty()) << "nothing ran on the device";
    EXPECT_EQ(measured.top1, expected.top1);
    EXPECT_EQ(measured.predictions.classes, expected.predictions.classes);
  }
}

TEST_F(StandInTest, DrawsSaliencyAsOnTheCpu) {
  const auto dataset = data::Dataset::open(scratch_ / "data", "original");
  const auto labels = testing::BoxLabels(dataset);
  for (const std::string architecture : {"deit_nano_patch4_32", "convmixer_nano_patch4_32"}) {
    SCOPED_TRACE(architecture);
    const auto settings =
        training::evaluation_settings(testing::tiny_cell(architecture, true), dataset);
    const models::ModelSpec spec{
        .architecture = architecture, .num_classes = 3, .image_size = 32, .remixer = true};
    const auto draw = [&](at::Device device) {
      const auto model = models::create_model(spec, 3);
      models::move_to(*model, device);
      return explain::draw_saliency(
          *model, {.dataset = dataset, .settings = settings, .labels = &labels}, {0, 3, 7});
    };
    const auto expected = draw(at::kCPU);
    take_host_waits();
    const auto drawn = draw(kStandIn);
    EXPECT_FALSE(take_host_waits().empty()) << "nothing ran on the device";
    EXPECT_EQ(drawn.answers, expected.answers);
    EXPECT_THAT(drawn.maps, Pointwise(FloatNear(1e-5), expected.maps));
  }
}

TEST_F(StandInTest, NetworksLabelAsOnTheCpu) {
  write_script();
  using experiments::make_labeler_spec;
  const auto pin = labelcache::pin_script(scratch_ / "network.toml", scratch_ / "weights");
  const auto mask = labelcache::pin_script(scratch_ / "mask.toml", scratch_ / "weights");
  for (const experiments::LabelerSpec& labeler :
       {make_labeler_spec("saliency", {{"input_size", 32}}),
        make_labeler_spec("relabel", {{"input_size", 64}, {"top_k", 5}}),
        make_labeler_spec("relabel", {{"input_size", 64}, {"classes", 9}}),
        make_labeler_spec(pin.kind, {{pin.key, pin.sha256}, {"top_k", 2}}),
        make_labeler_spec(mask.kind, {{mask.key, mask.sha256}})}) {
    SCOPED_TRACE(write_value(labeler).dump());
    const auto content = [&](const std::string& name, training::Communicator& ranks) {
      labelcache::LabelJob job;
      job.labeler = labeler;
      job.dataset = scratch_ / "data";
      job.split = "train";
      job.output = scratch_ / (name + experiments::short_id(labeler) + ".labels");
      job.weights = REMIXER_WEIGHTS_FOLDER;
      job.pinned = scratch_ / "weights";
      return labelcache::build_labels(job, ranks).content_sha256;
    };
    const std::string expected = content("cpu", alone_);
    take_host_waits();
    at::set_num_threads(3);
    EXPECT_EQ(content("device", on_device_), expected);
    at::set_num_threads(1);
    EXPECT_FALSE(take_host_waits().empty()) << "nothing ran on the device";
  }
}

// However many threads bring batches, and whether or not one fails.
TEST_F(StandInTest, TwoBatchesAreOnTheDeviceAtOnce) {
  std::atomic<int> now{0}, most{0};
  const labelcache::NetworkOnDevice network(kStandIn, [&](const at::Tensor& pixels) {
    const int running = ++now;
    for (int seen = most; seen < running && !most.compare_exchange_weak(seen, running);) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    --now;
    if (pixels.size(0) == 2) throw InputError("no such batch");
    return pixels * 2;
  });
  std::atomic<int> failed{0}, right{0};
  std::vector<std::thread> threads;
  for (int64_t i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 10; ++round) {
        try {
          const at::Tensor made =
              network(at::ones({1 + i % 2, 3, 4, 4}), [](const at::Tensor& y) { return y.cpu(); });
          right += made.sum().item<float>() == 96;
        } catch (const InputError&) {
          ++failed;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, labelcache::NetworkOnDevice::kBatches);
  EXPECT_EQ(failed, 40);
  EXPECT_EQ(right, 40);
}

// Steps whose curves are not reported. The whole step is queued before its losses are read.
TEST_F(StandInTest, AStepWaitsForTheDeviceOnce) {
  for (experiments::Cell cell : cells()) {
    SCOPED_TRACE(cell.architecture + " " + cell.labeler_name + " " + cell.spatial_prior);
    cell.recipe.epochs = 5;
    cell.recipe.hold_out = 0;
    steps_.clear();
    train(job(cell, "waits"), on_device_);
    int seen = 0;
    for (size_t i = 2; i + 1 < steps_.size(); ++i) {
      if (training::Metrics::due(static_cast<int64_t>(i) + 1, static_cast<int64_t>(steps_.size())))
        continue;
      EXPECT_THAT(steps_[i], ElementsAre(Pair("copy to the host", 1))) << "step " << i + 1;
      ++seen;
    }
    EXPECT_GT(seen, 3);
    std::filesystem::remove_all(scratch_ / "waits");
  }
}

}  // namespace
}  // namespace remixer
