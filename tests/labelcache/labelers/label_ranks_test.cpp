// SPDX-License-Identifier: Apache-2.0
// Run under mpirun: any number of ranks makes the file that one rank makes, and an image that only
// one rank reads stops them all.
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "core/dataset/dataset.h"
#include "core/distributed/mpi_communicator.h"
#include "experiments/spec/components.h"
#include "labelcache/labelers/label_job.h"
#include "tests/support/program.h"
#include "tests/support/tiny_dataset.h"

namespace remixer::labelcache {
namespace {

training::MpiCommunicator* ranks = nullptr;

// A dataset that all ranks see: rank 0 makes it and says where.
class LabelRanks : public ::testing::Test {
 protected:
  void SetUp() override {
    if (ranks->rank() == 0) {
      scratch_.emplace("label-ranks");
      testing::write_tiny_dataset(*scratch_ / "dataset", 101, 3);
    }
    folder_ = ranks->broadcast(scratch_ ? scratch_->path().string() : "");
    job_.dataset = folder_ / "dataset";
    job_.split = "train";
    job_.output = folder_ / "together.labels";
    job_.weights = REMIXER_WEIGHTS_FOLDER;
  }
  void TearDown() override { ranks->barrier(); }

  std::optional<testing::ScratchFolder> scratch_;
  fs::path folder_;
  LabelJob job_;
};

TEST_F(LabelRanks, MakeTheFileThatOneRankMakes) {
  for (const char* name : {"bbox_grabcut", "saliency", "relabel"}) {
    job_.labeler = std::string(name) == "bbox_grabcut"
                       ? experiments::make_labeler_spec(name)
                       : experiments::make_labeler_spec(name, {{"input_size", 32}});
    const LabelOutcome together = build_labels(job_, *ranks);
    EXPECT_TRUE(together.finished);
    EXPECT_EQ(together.images, 101);
    if (ranks->rank() == 0) {
      LabelJob by_itself = job_;
      by_itself.output = folder_ / "alone.labels";
      training::SoloCommunicator solo;
      at::set_num_threads(2);
      EXPECT_EQ(build_labels(by_itself, solo).content_sha256, together.content_sha256);
      at::set_num_threads(1);
      EXPECT_EQ(read_file(by_itself.output), read_file(job_.output));
    }
    ranks->barrier();
  }
}

TEST_F(LabelRanks, StopTogetherAndGoOn) {
  job_.labeler = experiments::make_labeler_spec("bbox_grabcut");
  job_.on_progress = [](int64_t, int64_t) { return training::Directive::kStop; };
  EXPECT_FALSE(build_labels(job_, *ranks).finished);
  EXPECT_FALSE(fs::exists(job_.output));
  ranks->barrier();
  job_.on_progress = nullptr;
  EXPECT_TRUE(build_labels(job_, *ranks).finished);
  EXPECT_TRUE(fs::exists(job_.output));
}

TEST_F(LabelRanks, AllNameTheImageThatOneCannotRead) {
  const auto dataset = data::Dataset::open(job_.dataset, "train");
  const data::Sample& last = dataset.samples().back();
  if (ranks->rank() == 0) write_file_atomic(dataset.image_path(last), "not an image");
  ranks->barrier();
  job_.labeler = experiments::make_labeler_spec("bbox_grabcut");
  std::string message;
  try {
    build_labels(job_, *ranks);
  } catch (const InputError& error) {
    message = error.what();
  }
  EXPECT_THAT(message, ::testing::HasSubstr(last.id));
}

}  // namespace
}  // namespace remixer::labelcache

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  remixer::training::MpiSession session(&argc, &argv);
  remixer::training::MpiCommunicator communicator(60);
  remixer::labelcache::ranks = &communicator;
  const int failed = RUN_ALL_TESTS();
  return communicator.all_reduce_max(failed) == 0 ? 0 : 1;
}
