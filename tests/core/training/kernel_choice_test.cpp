// SPDX-License-Identifier: Apache-2.0
// Fused kernels must be right and faster, or ATen does the work; no GPU is asked for: functions
// stand in the forms' place, and launchers that work on the CPU in the CUDA library's.
#include "core/training/kernel_choice.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/file.h"
#include "core/kernels/fused_choice.h"
#include "core/kernels/launcher.h"
#include "core/training/checkpoint.h"
#include "core/training/trainer.h"
#include "tests/core/training/tiny_cell.h"
#include "tests/support/program.h"
#include "tests/support/simt_launcher.h"

namespace remixer::training {
namespace {

using kernels::Fused;

Form answers(const at::Tensor& y, int milliseconds = 0) {
  return [y, milliseconds]() -> std::vector<at::Tensor> {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    return {y};
  };
}

const at::Tensor kExact = at::arange(1, 9, at::kDouble);

FormComparison compare(const Form& fused, const Form& plain) {
  return compare_forms(fused, plain, answers(kExact), 1e-3, at::kCPU);
}

TEST(CompareForms, ARightAndFasterOneWins) {
  const auto found = compare(answers(kExact * 1.0005), answers(kExact, 5));
  EXPECT_TRUE(found.right && found.faster);
  EXPECT_NEAR(found.error, 0.0005, 1e-6);
  EXPECT_LT(found.milliseconds, found.plain_milliseconds);
}

TEST(CompareForms, AWrongOneLosesHoweverFast) {
  const auto found = compare(answers(kExact * 1.01), answers(kExact, 5));
  EXPECT_FALSE(found.right);
  EXPECT_FALSE(found.faster);
  at::Tensor spoilt = kExact.clone();
  spoilt[3] = NAN;
  EXPECT_FALSE(compare(answers(spoilt), answers(kExact, 5)).right);
  at::Tensor one_element = kExact.clone();
  one_element[3] += 0.5;
  EXPECT_FALSE(compare(answers(one_element), answers(kExact, 5)).right);
}

TEST(CompareForms, ASlowOneLosesHoweverRight) {
  const auto found = compare(answers(kExact, 5), answers(kExact));
  EXPECT_TRUE(found.right);
  EXPECT_FALSE(found.faster);
}

TEST(CompareForms, OneThatThrowsLosesAndSaysWhy) {
  const auto found = compare(
      []() -> std::vector<at::Tensor> { throw std::runtime_error("no room"); }, answers(kExact));
  EXPECT_FALSE(found.right);
  EXPECT_EQ(found.trouble, "no room");
}

TEST(CompareForms, MayBeTwiceAsFarOffAsThePlainOne) {
  EXPECT_TRUE(compare(answers(kExact * 1.019), answers(kExact * 0.99, 5)).right);
  EXPECT_FALSE(compare(answers(kExact * 1.021), answers(kExact * 0.99, 5)).right);
}

// Fast, and every distance is 1.
const char* write_ones(const device::KernelCall& call, void*) {
  ++testing::g_launches;
  const auto& d = call.distance;
  std::fill_n(d.distance, static_cast<int64_t>(d.batch) * d.patches * d.patches, 1.0F);
  return nullptr;
}

class KernelChoice : public ::testing::Test {
 protected:
  KernelChoice() : scratch_("kernel-choice") {
    at::set_num_threads(1);
    testing::write_tiny_dataset(scratch_ / "data", 100, 8);
    labels_ = std::make_unique<testing::BoxLabels>(data::Dataset::open(scratch_ / "data", "train"));
    testing::g_launches = 0;
  }
  ~KernelChoice() override {
    kernels::set_launcher(at::kCPU, nullptr);
    kernels::allow_fused(Fused::kDistance, true);
  }

  std::string weights_after_training(const std::string& folder, int64_t stop_at = -1) {
    TrainJob job;
    job.cell = testing::tiny_cell("deit_nano_patch4_32", true);
    job.cell.recipe.epochs = 1;
    job.dataset = scratch_ / "data";
    job.labels = labels_.get();
    job.folder = scratch_ / folder;
    job.on_step = [stop_at](const Progress& progress) {
      return progress.step == stop_at ? Directive::kStop : Directive::kContinue;
    };
    SoloCommunicator solo;
    if (!train(job, solo).finished) return "";
    return read_file(job.folder / "model.safetensors");
  }
  Json record(const std::string& folder) {
    return Json::parse(read_file(scratch_ / folder / "kernels.json"));
  }

  testing::ScratchFolder scratch_;
  std::unique_ptr<testing::BoxLabels> labels_;
};

TEST_F(KernelChoice, AWrongAndASlowKernelLeaveTheRunAsItIsWithoutAny) {
  const std::string plain = weights_after_training("plain");
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "plain/kernels.json"));

  kernels::set_launcher(at::kCPU, &write_ones);
  EXPECT_EQ(weights_after_training("wrong"), plain);
  EXPECT_GT(testing::g_launches, 0) << "it was tried";
  EXPECT_EQ(record("wrong")["label_distance"]["right"], false);
  EXPECT_EQ(record("wrong")["label_distance"]["fused"], false);

  kernels::set_launcher(at::kCPU, &testing::emulate);
  EXPECT_EQ(weights_after_training("slow"), plain);
  EXPECT_EQ(record("slow")["label_distance"]["right"], true);
  EXPECT_EQ(record("slow")["label_distance"]["faster"], false);
  EXPECT_EQ(record("slow")["label_distance"]["fused"], false);
}

TEST_F(KernelChoice, LaterAttemptsObeyTheFirst) {
  kernels::set_launcher(at::kCPU, &write_ones);
  weights_after_training("run", 1);
  const Json first = record("run");
  const int tried = std::exchange(testing::g_launches, 0);
  EXPECT_GT(tried, 0);
  EXPECT_NE(weights_after_training("run"), "");
  EXPECT_EQ(testing::g_launches, 0) << "the choice was made";
  EXPECT_EQ(record("run"), first);
}

TEST_F(KernelChoice, AChosenKernelServesLaterAttemptsToo) {
  kernels::set_launcher(at::kCPU, &testing::emulate);
  Json choice = {{"label_distance", {{"fused", true}}}};
  SoloCommunicator solo;
  bool asked = false;
  settle_kernels(
      choice, [&] { asked = true; }, solo);
  EXPECT_FALSE(asked);
  EXPECT_TRUE(kernels::fused_allowed(Fused::kDistance));
  choice["label_distance"]["fused"] = false;
  settle_kernels(
      choice, [&] { asked = true; }, solo);
  EXPECT_FALSE(kernels::fused_allowed(Fused::kDistance));
  EXPECT_TRUE(kernels::fused_allowed(Fused::kAttention)) << "not named";
}

}  // namespace
}  // namespace remixer::training
