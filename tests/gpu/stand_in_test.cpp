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
#include "base/file.h"
#include "base/json.h"
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
  std::unique_ptr<training::DeviceGraph> make_graph() override {
    return testing::make_stand_in_graph();
  }
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

TEST_F(StandInTest, ARecordingRepeatsOnTheSameMemory) {
  const at::Tensor x = at::ones({3}).to(kStandIn), sum = at::zeros({}).to(kStandIn);
  double factor = 2;
  at::Tensor doubled;
  const auto body = [&] {
    doubled = (x * factor).view({3, 1});
    sum.add_(doubled.sum());
  };
  body();
  EXPECT_EQ(sum.item<float>(), 6);
  const auto graph = testing::make_stand_in_graph();
  graph->record(body);
  EXPECT_EQ(sum.item<float>(), 6) << "it ran";
  EXPECT_TRUE(doubled.isnan().all().item<bool>());
  factor = 100;
  x.fill_(2);
  graph->repeat();
  graph->repeat();
  EXPECT_EQ(sum.item<float>(), 30);
  EXPECT_EQ(doubled.sum().item<float>(), 12);
  EXPECT_THROW(testing::make_stand_in_graph()->record([&] { x.sum().item(); }), c10::Error);
  for (const bool waits : {true, false}) {
    EXPECT_THROW(
        testing::make_stand_in_graph()->record([&] { at::ones({3}).to(kStandIn, !waits); }),
        c10::Error);
  }
  take_host_waits();
}

// Two shards with other draws in each step, of which only the first moves running statistics.
TEST_F(StandInTest, RecordedStepsGiveTheSameBits) {
  int number = 0;
  for (experiments::Cell cell : cells()) {
    SCOPED_TRACE(cell.architecture + " " + cell.labeler_name + " " + cell.spatial_prior);
    cell.recipe.epochs = 3;
    const std::string name = std::to_string(++number);
    const auto expected = train(job(cell, name + "-plain"), on_device_);
    ::setenv("REMIXER_STEP_GRAPHS", "always", 1);
    const auto losses = train(job(cell, name + "-recorded"), on_device_);
    ::unsetenv("REMIXER_STEP_GRAPHS");
    EXPECT_EQ(losses, expected);
    EXPECT_EQ(read_file(scratch_ / (name + "-recorded/model.safetensors")),
              read_file(scratch_ / (name + "-plain/model.safetensors")));
    const Json outcome = Json::parse(read_file(scratch_ / (name + "-recorded/step_graph.json")));
    EXPECT_EQ(outcome.at("trouble"), "");
    EXPECT_TRUE(outcome.at("used").get<bool>());
  }
}

TEST_F(StandInTest, AWishThatIsNotKnownIsNamed) {
  ::setenv("REMIXER_STEP_GRAPHS", "yes", 1);
  EXPECT_THROW(train(job(cells()[0], "wish"), on_device_), InputError);
  ::unsetenv("REMIXER_STEP_GRAPHS");
}

enum class Fault { kBegin, kInside, kWrong, kSecondWrong, kRepeat };

// A recording that goes wrong in some way.
struct BadGraph : training::DeviceGraph {
  BadGraph(Fault fault, int number) : fault(fault), number(number) {}
  void record(const std::function<void()>& body) override {
    if (fault == Fault::kBegin) throw Error("the device is out of recordings");
    real->record([&] {
      body();
      if (fault == Fault::kInside) at::ones({2}).to(kStandIn);
    });
  }
  void repeat() override {
    if (fault == Fault::kRepeat) throw Error("the device is gone");
    if (fault == Fault::kWrong || (fault == Fault::kSecondWrong && number == 2)) return;
    real->repeat();
  }
  const Fault fault;
  const int number;
  std::unique_ptr<training::DeviceGraph> real = testing::make_stand_in_graph();
};

class RanksOfBadGraphs : public AloneOnDevice {
 public:
  explicit RanksOfBadGraphs(Fault fault) : fault_(fault) {}
  std::unique_ptr<training::DeviceGraph> make_graph() override {
    return std::make_unique<BadGraph>(fault_, ++made_);
  }

 private:
  Fault fault_;
  int made_ = 0;
};

TEST_F(StandInTest, ABadRecordingIsNotUsed) {
  const experiments::Cell cell = testing::full_cell("convmixer_nano_patch4_32");
  const auto expected = train(job(cell, "plain"), on_device_);
  const std::string other_bits = "the recorded pass gives other bits";
  ::setenv("REMIXER_STEP_GRAPHS", "always", 1);
  for (const auto& [fault, trouble] :
       std::map<Fault, std::string>{{Fault::kBegin, "the device is out of recordings"},
                                    {Fault::kInside, "copy"},
                                    {Fault::kWrong, other_bits},
                                    {Fault::kSecondWrong, other_bits},
                                    {Fault::kRepeat, "the device is gone"}}) {
    SCOPED_TRACE(trouble);
    RanksOfBadGraphs ranks(fault);
    const std::string folder = "fault-" + std::to_string(static_cast<int>(fault));
    EXPECT_EQ(train(job(cell, folder), ranks), expected);
    const Json outcome = Json::parse(read_file(scratch_ / folder / "step_graph.json"));
    EXPECT_FALSE(outcome.at("used").get<bool>());
    EXPECT_FALSE(outcome.at("right").get<bool>());
    EXPECT_THAT(outcome.at("trouble").get<std::string>(), ::testing::HasSubstr(trouble));
  }
  ::unsetenv("REMIXER_STEP_GRAPHS");
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

// Steps whose curves are not reported. The whole step is queued before its losses are read, whether
// operation by operation or recorded.
class StandInStepTest : public StandInTest, public ::testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(Graphs, StandInStepTest, ::testing::Values("0", "always"));
TEST_P(StandInStepTest, WaitsForTheDeviceOnce) {
  ::setenv("REMIXER_STEP_GRAPHS", GetParam(), 1);
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
  ::unsetenv("REMIXER_STEP_GRAPHS");
}

}  // namespace
}  // namespace remixer
