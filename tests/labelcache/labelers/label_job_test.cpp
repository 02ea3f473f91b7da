// SPDX-License-Identifier: Apache-2.0
// Labelling a whole split.
#include "labelcache/labelers/label_job.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "core/dataset/dataset.h"
#include "experiments/spec/components.h"
#include "labelcache/file/label_file_reader.h"
#include "tests/support/program.h"
#include "tests/support/tiny_dataset.h"

namespace remixer::labelcache {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using training::Directive;

constexpr int kImages = 45;

class LabelJobTest : public ::testing::Test {
 protected:
  void SetUp() override { testing::write_tiny_dataset(dataset_, kImages, 5); }

  LabelJob job(const std::string& labeler, const Json& overrides = Json::object()) {
    LabelJob job;
    job.labeler = experiments::make_labeler_spec(labeler, overrides);
    job.dataset = dataset_;
    job.split = "train";
    job.output = scratch_ / (labeler + ".labels");
    job.weights = REMIXER_WEIGHTS_FOLDER;
    return job;
  }
  // Runs `job` on a number of threads and gives the file that it made.
  std::string file_made_on(int threads, const LabelJob& job) {
    at::set_num_threads(threads);
    build_labels(job, alone_);
    EXPECT_EQ(at::get_num_threads(), threads);
    return read_file(job.output);
  }

  testing::ScratchFolder scratch_{"label-job"};
  fs::path dataset_ = scratch_ / "dataset";
  training::SoloCommunicator alone_;
};

TEST_F(LabelJobTest, LabelsEverySampleAndSaysOfWhat) {
  const LabelOutcome outcome = build_labels(job("bbox_grabcut"), alone_);
  EXPECT_TRUE(outcome.finished);
  EXPECT_EQ(outcome.images, kImages);
  const auto dataset = data::Dataset::open(dataset_, "train");
  const LabelFileReader reader(job("bbox_grabcut").output);
  EXPECT_EQ(reader.content_sha256(), outcome.content_sha256);
  EXPECT_EQ(reader.provenance().dataset_sha256, dataset.content_hash());
  EXPECT_EQ(reader.provenance().split, "train");
  EXPECT_EQ(reader.provenance().labeler, write_value(job("bbox_grabcut").labeler));

  const auto labels = open_labels(job("bbox_grabcut").output, dataset.content_hash(), "train");
  double inside = 0, outside = 0;
  for (const data::Sample& sample : dataset.samples()) {
    const auto map = labels->map(sample.id);
    ASSERT_EQ(map.width, 32);
    inside += map.values[static_cast<size_t>((sample.box->y0 + 6) * 32 + sample.box->x0 + 6)];
    outside += map.values[static_cast<size_t>(((sample.box->y0 + 20) % 32) * 32 + sample.box->x0)];
  }
  EXPECT_GT(inside, 0.8 * kImages);
  EXPECT_LT(outside, 0.05 * kImages);
}

TEST_F(LabelJobTest, TheFileDoesNotDependOnTheNumberOfThreads) {
  for (const auto& job : {job("bbox_grabcut"), job("saliency", {{"input_size", 32}}),
                          job("relabel", {{"input_size", 32}})}) {
    const std::string one = file_made_on(1, job);
    EXPECT_EQ(file_made_on(2, job), one);
    EXPECT_EQ(file_made_on(3, job), one);
  }
}

TEST_F(LabelJobTest, ProgressReachesTheEndAndNeverTurnsBack) {
  std::vector<int64_t> seen;
  LabelJob watched = job("bbox_grabcut");
  watched.on_progress = [&](int64_t done, int64_t total) {
    EXPECT_EQ(total, kImages);
    seen.push_back(done);
    return Directive::kContinue;
  };
  file_made_on(1, watched);
  EXPECT_GT(seen.size(), 1u);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.back(), kImages);
}

// Stops a job after `images` of them.
void stop_after(LabelJob& job, int64_t images) {
  job.on_progress = [images](int64_t done, int64_t) {
    return done >= images ? Directive::kStop : Directive::kContinue;
  };
}

TEST_F(LabelJobTest, AStoppedJobLeavesNoFileAndTheNextOneGoesOn) {
  LabelJob stopped = job("saliency", {{"input_size", 32}});
  build_labels(stopped, alone_);
  const std::string whole = read_file(stopped.output);

  stopped.output = scratch_ / "out/stopped.labels";
  LabelJob next = stopped;
  stop_after(stopped, 30);
  at::set_num_threads(1);
  EXPECT_FALSE(build_labels(stopped, alone_).finished);
  EXPECT_FALSE(fs::exists(stopped.output));
  const LabelOutcome outcome = build_labels(next, alone_);
  EXPECT_TRUE(outcome.finished);
  EXPECT_EQ(outcome.images, kImages);
  EXPECT_EQ(read_file(next.output), whole);
}

TEST_F(LabelJobTest, GoesOnFromAnEarlierAttemptsFolder) {
  // Large maps, so that a block holds few.
  LabelJob first = job("relabel", {{"input_size", 512}});
  at::set_num_threads(1);
  stop_after(first, 16);
  first.output = scratch_ / "1/train.labels";
  EXPECT_FALSE(build_labels(first, alone_).finished);
  LabelJob second = first;
  second.output = scratch_ / "2/train.labels";
  second.resume_from = {scratch_ / "0/train.labels", first.output};
  stop_after(second, kImages);
  const LabelOutcome outcome = build_labels(second, alone_);
  EXPECT_GT(outcome.resumed_at, 8);
  EXPECT_LE(outcome.resumed_at, 16);
  second.on_progress = nullptr;
  build_labels(second, alone_);
  LabelJob through = second;
  through.resume_from.clear();
  through.output = scratch_ / "3/train.labels";
  build_labels(through, alone_);
  EXPECT_EQ(read_file(second.output), read_file(through.output));
}

TEST_F(LabelJobTest, UnreadableImagesAreNamedAndCountedWhereAsked) {
  const auto dataset = data::Dataset::open(dataset_, "train");
  const std::vector<size_t> bad = {3, 4, 40};
  for (const size_t i : bad) write_file_atomic(dataset.image_path(dataset.samples()[i]), "");
  LabelJob lenient = job("relabel", {{"input_size", 32}});
  lenient.skip_unreadable = true;
  const LabelOutcome outcome = build_labels(lenient, alone_);
  EXPECT_TRUE(outcome.finished);
  ASSERT_EQ(outcome.unreadable.size(), bad.size());
  const LabelFileReader reader(lenient.output);
  for (size_t i = 0; i < bad.size(); ++i) {
    const auto& id = dataset.samples()[bad[i]].id;
    EXPECT_THAT(outcome.unreadable[i], HasSubstr(id));
    EXPECT_EQ(reader.map(id).values, std::vector<float>(5, 0.0f));
  }
}

TEST_F(LabelJobTest, EmptyAndTornMasksAreNamedAndCounted) {
  const fs::path folder = scratch_ / "masked";
  data::DatasetWriter writer(folder, {"a"}, 32, testing::tiny_spec());
  writer.add_folder("train/a");
  writer.add_folder("masks");
  std::vector<data::Sample> samples(4);
  for (size_t i = 0; i < samples.size(); ++i) {
    samples[i].id = fmt::format("train/a/{}.png", i);
    samples[i].mask = fmt::format("masks/{}.png", i);
    data::GrayImage mask(32, 32);
    if (i != 1) mask.at(5, 6) = 255;
    const std::string png = data::encode_png(mask);
    writer.add_file(samples[i].mask, i == 2 ? png.substr(0, png.size() / 2) : png);
    writer.add_file(samples[i].id, data::encode_png(data::Image(32, 32)));
  }
  writer.add_split("train", samples);
  writer.publish({0.5, 0.5, 0.5}, {0.2, 0.2, 0.2});
  LabelJob strict = job("masks");
  strict.dataset = folder;
  EXPECT_THAT([&] { build_labels(strict, alone_); },
              ThrowsMessage<InputError>(HasSubstr("masks/1.png is empty")));
  EXPECT_FALSE(fs::exists(strict.output));
  strict.skip_unreadable = true;
  const LabelOutcome outcome = build_labels(strict, alone_);
  ASSERT_EQ(outcome.unreadable.size(), 2u);
  EXPECT_THAT(outcome.unreadable[0], HasSubstr("masks/1.png is empty"));
  EXPECT_THAT(outcome.unreadable[1], HasSubstr("masks/2.png"));
  const LabelFileReader reader(strict.output);
  EXPECT_EQ(reader.map(samples[0].id).height, 32);
  EXPECT_EQ(reader.map(samples[1].id).height, 1);
}

TEST_F(LabelJobTest, ATornImageIsNamed) {
  const auto dataset = data::Dataset::open(dataset_, "train");
  const data::Sample& torn = dataset.samples()[33];
  const std::string bytes = read_file(dataset.image_path(torn));
  write_file_atomic(dataset.image_path(torn), bytes.substr(0, bytes.size() / 2));
  try {
    build_labels(job("bbox_grabcut"), alone_);
    FAIL() << "a torn image passed";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr(torn.id));
  }
  EXPECT_FALSE(fs::exists(job("bbox_grabcut").output));
}

TEST_F(LabelJobTest, MissingWeightsAreAnInputError) {
  LabelJob without = job("saliency");
  without.weights = scratch_ / "nowhere";
  EXPECT_THROW(build_labels(without, alone_), InputError);
}

}  // namespace
}  // namespace remixer::labelcache
