// SPDX-License-Identifier: Apache-2.0
// TorchScript networks by their descriptions, and what is pinned for grids.
#include "labelcache/labelers/script_model.h"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>

#include <fstream>

#include "base/error.h"
#include "base/file.h"
#include "experiments/spec/components.h"
#include "labelcache/file/label_file_reader.h"
#include "labelcache/labelers/label_job.h"
#include "labelcache/labelers/label_pin.h"
#include "labelcache/labelers/labeler.h"
#include "tests/labelcache/input_error.h"
#include "tests/labelcache/synthetic.h"
#include "tests/support/program.h"
#include "tests/support/tiny_dataset.h"

namespace remixer::labelcache {
namespace {

using ::testing::HasSubstr;

class ScriptModelTest : public ::testing::Test {
 protected:
  // A network whose forward is the given TorchScript.
  void write_model(const std::string& body) {
    torch::jit::Module module("network");
    module.define("def forward(self, x: Tensor):\n    return " + body + "\n");
    module.save(scratch_ / "model.pt");
  }
  fs::path describe(const std::string& text) {
    std::ofstream(scratch_ / "network.toml") << text;
    return scratch_ / "network.toml";
  }
  std::unique_ptr<Labeler> labeler_of(const Pin& pin) {
    return make_labeler(experiments::make_labeler_spec(pin.kind, {{pin.key, pin.sha256}}),
                        weights_);
  }

  testing::ScratchFolder scratch_{"script"};
  fs::path weights_ = scratch_ / "weights";
};

TEST_F(ScriptModelTest, ASaliencyNetworkBecomesALabeler) {
  // How red a pixel is.
  write_model("(x[:, 0:2], x[:, 0:1] - x[:, 2:3])");
  const Pin pin = pin_script(
      describe("kind = \"saliency\"\nmodel = \"model.pt\"\ninput_size = 40\noutput = 1\n"),
      weights_);
  EXPECT_EQ(pin.kind, "script_saliency");
  const auto labeler = labeler_of(pin);
  EXPECT_EQ(labeler->weights_sha256(), pin.sha256);
  const auto map = labeler->label({{{}, testing::disk_image(80, 60), {}}}).at(0);
  EXPECT_EQ(map.height, 40);
  EXPECT_EQ(map.width, 40);
  for (int y = 0; y < 40; ++y) {
    for (int x = 0; x < 40; ++x) {
      const float value = map.values[static_cast<size_t>(y * 40 + x)];
      const int dx = x - 20, dy = y - 16;
      const int distance = dx * dx * 9 + dy * dy * 16;
      if (distance < 6 * 6 * 16) {
        EXPECT_GT(value, 0.6f);
      } else if (distance > 17 * 17 * 16) {
        EXPECT_LT(value, 0.4f);
      }
    }
  }
}

TEST_F(ScriptModelTest, PreparesAndReadsAsDescribed) {
  write_model("x");
  const auto model = ScriptModel(read_script_description(describe(
      "kind = \"saliency\"\nmodel = \"model.pt\"\ninput_size = 16\nscale = \"none\"\nmean = [10, "
      "20, 30]\n"
      "deviation = [2.0, 4.0, 5.0]\nchannel = 2\nactivation = \"sigmoid\"\ninvert = true\n")));
  const at::Tensor pixels = at::full({1, 3, 16, 16}, 40.0);
  const at::Tensor out = model.output(pixels);
  EXPECT_FLOAT_EQ(out[0][0][3][3].item<float>(), 15);
  EXPECT_FLOAT_EQ(out[0][1][3][3].item<float>(), 5);
  EXPECT_NEAR(model.saliency(pixels)[0][0][3][3].item<float>(), 1 - 1 / (1 + std::exp(-2.0)), 1e-6);
}

TEST_F(ScriptModelTest, KeepsTheAspectWhereAsked) {
  write_model("x[:, 0:1]");
  const Pin pin = pin_script(describe("kind = \"saliency\"\nmodel = \"model.pt\"\ninput_size = "
                                      "30\nkeep_aspect = true\nbatch = 4\n"),
                             weights_);
  const auto labeler = labeler_of(pin);
  EXPECT_EQ(labeler->batch(), 4);
  const auto maps = labeler->label(
      {{{}, testing::disk_image(60, 90), {}}, {{}, testing::disk_image(50, 50), {}}});
  EXPECT_EQ(maps[0].height, 30);
  EXPECT_EQ(maps[0].width, 45);
  EXPECT_EQ(maps[1].width, 30);
}

TEST_F(ScriptModelTest, AClassifierBecomesRelabelMaps) {
  // Six classes on a grid of 4 × 4: three channels and their opposites.
  write_model("torch.avg_pool2d(torch.cat([x, -x], 1), 8)");
  const Pin pin = pin_script(
      describe("kind = \"classifier\"\nmodel = \"model.pt\"\ninput_size = 32\n"), weights_);
  EXPECT_EQ(pin.kind, "script_relabel");
  const auto entry =
      experiments::make_labeler_spec(pin.kind, {{pin.key, pin.sha256}, {"top_k", 2}});
  const auto labeler = make_labeler(entry, weights_);
  EXPECT_EQ(labeler->shape(), (MapShape{6, 2}));
  data::Image red(32, 32);
  for (size_t i = 0; i < red.pixels.size(); i += 3) red.pixels[i] = 255;
  const auto map = labeler->label({{{}, red, {}}}).at(0);
  EXPECT_EQ(map.height, 4);
  EXPECT_EQ(map.indices[0], 0);
  EXPECT_FLOAT_EQ(map.values[0], 1);
  EXPECT_FLOAT_EQ(map.values[1], 0);
}

TEST_F(ScriptModelTest, ThePinIsOfEverythingThatMatters) {
  write_model("x");
  const std::string text = "kind = \"saliency\"\nmodel = \"model.pt\"\ninput_size = 32\n";
  const std::string one = read_script_description(describe(text)).sha256();
  EXPECT_EQ(read_script_description(describe(text + "scale = \"255\"\n")).sha256(), one);
  EXPECT_NE(read_script_description(describe(text + "stretch = true\n")).sha256(), one);
  write_model("x + 1");
  EXPECT_NE(read_script_description(describe(text)).sha256(), one);
  // The pinned copy is the same description.
  const Pin pin = pin_script(describe(text), weights_);
  EXPECT_EQ(read_script_description(own_weights(weights_, "script", pin.sha256, ".toml")).sha256(),
            pin.sha256);
}

TEST_F(ScriptModelTest, WhatIsWrongIsNamed) {
  write_model("x");
  const std::string good = "kind = \"saliency\"\nmodel = \"model.pt\"\ninput_size = 32\n";
  const auto message = [&](const std::string& text) {
    return input_error([&] { ScriptModel(read_script_description(describe(text))); });
  };
  EXPECT_EQ(message(good), "");
  EXPECT_THAT(message(good + "chanel = 1\n"), HasSubstr("did you mean 'channel'"));
  EXPECT_THAT(message("kind = \"salient\"\n"), HasSubstr("saliency"));
  EXPECT_THAT(message("kind = \"saliency\"\ninput_size = 32\n"), HasSubstr("model"));
  EXPECT_THAT(message("kind = \"saliency\"\nmodel = \"absent.pt\"\ninput_size = 32\n"),
              HasSubstr("absent.pt"));
  EXPECT_THAT(message(good + "mean = [1, 2]\n"), HasSubstr("three numbers"));
  EXPECT_THAT(message(good + "deviation = [1, 0, 1]\n"), HasSubstr("deviation"));
  EXPECT_THAT(message(good + "channel = 3\n"), HasSubstr("number 3"));
  EXPECT_THAT(message(good + "batch = \"many\"\n"), HasSubstr("batch"));
  EXPECT_THAT(message("kind = \n"), HasSubstr("network.toml:1"));
  write_model("x.mean()");
  EXPECT_THAT(message(good), HasSubstr("[images, channels, height, width]"));
  write_file_atomic(scratch_ / "model.pt", "no model");
  EXPECT_THAT(message(good), HasSubstr("model.pt"));
  EXPECT_THAT(input_error([&] {
                make_labeler(experiments::make_labeler_spec(
                                 "script_saliency", {{"weights_sha256", std::string(64, 'a')}}),
                             weights_);
              }),
              HasSubstr("script-aaaaaaaaaaaaaaaa.toml"));
}

// Label files of two splits, pinned, are a labeler too.
TEST_F(ScriptModelTest, ImportedLabelsWorkAsALabeler) {
  const fs::path dataset = scratch_ / "dataset";
  testing::write_tiny_dataset(dataset, 6, 3);
  training::SoloCommunicator alone;
  std::vector<fs::path> files;
  std::map<std::string, std::string> contents;
  for (const char* split : {"train", "original"}) {
    LabelJob job;
    job.labeler = experiments::make_labeler_spec("bbox_grabcut");
    job.dataset = dataset;
    job.split = split;
    job.output = scratch_ / (std::string(split) + "-made.labels");
    contents[split] = build_labels(job, alone).content_sha256;
    files.push_back(job.output);
  }
  const Pin pin = pin_labels(files, weights_);
  EXPECT_EQ(pin.kind, "imported_masks");
  LabelJob job;
  job.labeler = experiments::make_labeler_spec(pin.kind, {{pin.key, pin.sha256}});
  job.dataset = dataset;
  job.weights = weights_;
  for (const char* split : {"train", "original"}) {
    job.split = split;
    job.output = scratch_ / (std::string(split) + ".labels");
    const LabelOutcome outcome = build_labels(job, alone);
    EXPECT_TRUE(outcome.finished);
    EXPECT_EQ(outcome.content_sha256, contents[split]);
    EXPECT_EQ(LabelFileReader(job.output).content_sha256(), contents[split]);
  }
  job.split = "no_fg";
  EXPECT_NE(input_error([&] { build_labels(job, alone); }), "");
  EXPECT_THAT(input_error([&] {
                pin_labels({files[0], files[0]}, weights_);
              }),
              HasSubstr("second file"));
  job.labeler.hashes["labels_sha256"] = std::string(64, 'b');
  job.split = "train";
  EXPECT_THAT(input_error([&] { build_labels(job, alone); }), HasSubstr("no such labels"));
}

}  // namespace
}  // namespace remixer::labelcache
