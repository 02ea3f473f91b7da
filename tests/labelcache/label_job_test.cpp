// Labelling a whole split.
#include "labelcache/label_job.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/data/dataset.h"
#include "experiments/components.h"
#include "labelcache/cache_reader.h"
#include "tests/support/program.h"
#include "tests/support/tiny_dataset.h"

namespace remixer::labelcache {
namespace {

using ::testing::HasSubstr;
using training::Directive;

constexpr int kImages = 45;

class LabelJobTest : public ::testing::Test {
 protected:
  void SetUp() override { testing::write_tiny_dataset(dataset_, kImages, 5); }

  LabelJob job(const std::string& labeler,
               const experiments::Json& overrides = experiments::Json::object()) {
    LabelJob job;
    job.labeler = experiments::labeler_entry(labeler, overrides);
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
  const CacheReader reader(job("bbox_grabcut").output);
  EXPECT_EQ(reader.content_sha256(), outcome.content_sha256);
  EXPECT_EQ(reader.provenance().dataset_sha256, dataset.content_hash());
  EXPECT_EQ(reader.provenance().split, "train");
  EXPECT_EQ(reader.provenance().labeler, job("bbox_grabcut").labeler);

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

TEST_F(LabelJobTest, AStoppedJobLeavesNoFile) {
  LabelJob stopped = job("bbox_grabcut");
  stopped.output = scratch_ / "out/stopped.labels";
  stopped.on_progress = [](int64_t, int64_t) { return Directive::kStop; };
  const LabelOutcome outcome = build_labels(stopped, alone_);
  EXPECT_FALSE(outcome.finished);
  EXPECT_TRUE(fs::is_empty(scratch_ / "out"));
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
