#include "core/training/loader.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/training/plan.h"
#include "tests/support/program.h"
#include "tests/support/tiny_dataset.h"

namespace remixer::training {
namespace {

class LoaderTest : public ::testing::Test {
 protected:
  LoaderTest() : scratch_("loader") {
    remixer::testing::write_tiny_dataset(scratch_ / "data", 40, 8);
    dataset_ = data::Dataset::open(scratch_ / "data", "train");
    labels_ = std::make_unique<remixer::testing::BoxLabels>(*dataset_);
  }
  remixer::testing::ScratchFolder scratch_;
  std::optional<data::Dataset> dataset_;
  std::unique_ptr<remixer::testing::BoxLabels> labels_;
};

std::vector<Batch> read_all(SampleStore& store, int threads) {
  Loader loader(store, [](int64_t batch) {
    std::vector<Draw> draws;
    for (int64_t i = 0; i < 4; ++i) draws.push_back({(batch * 7 + i * 3) % 40, (batch + i) % 2 == 0});
    return draws;
  }, 2, 14, threads);
  std::vector<Batch> batches;
  for (int i = 2; i < 14; ++i) batches.push_back(loader.next());
  return batches;
}

TEST_F(LoaderTest, ThreadsAndMemoryDoNotChangeBatches) {
  SampleStore kept(*dataset_, labels_.get(), 8), streamed(*dataset_, labels_.get(), 8, 0);
  const auto one = read_all(kept, 1), three = read_all(kept, 3), again = read_all(streamed, 2);
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_TRUE(at::equal(one[i].images, three[i].images));
    EXPECT_TRUE(at::equal(one[i].images, again[i].images));
    EXPECT_TRUE(at::equal(one[i].patch_labels, three[i].patch_labels));
    EXPECT_TRUE(at::equal(one[i].patch_labels, again[i].patch_labels));
    EXPECT_TRUE(at::equal(one[i].classes, three[i].classes));
  }
}

TEST_F(LoaderTest, PixelsAreNormalisedAndLabelsFollowTheFlip) {
  SampleStore store(*dataset_, labels_.get(), 8);
  const Batch batch = make_batch(store, {{5, false}, {5, true}});
  const data::Sample& sample = dataset_->samples()[5];
  const data::Image image = data::read_image(dataset_->image_path(sample));
  for (int c = 0; c < 3; ++c) {
    const double expected = (image.at(7, 21)[c] / 255.0 - 0.35) / 0.2;
    EXPECT_NEAR(batch.images[0][c][21][7].item<double>(), expected, 1e-5);
  }
  EXPECT_EQ(batch.classes[0].item<int64_t>(), sample.label);
  EXPECT_TRUE(at::equal(batch.images[0].flip(2), batch.images[1]));
  const at::Tensor upright = batch.patch_labels[0].view({8, 8, 1}), mirrored = batch.patch_labels[1].view({8, 8, 1});
  EXPECT_TRUE(at::equal(upright.flip(1), mirrored));
  EXPECT_FALSE(at::equal(upright, mirrored));
  // The box has 12 × 12 pixels, a patch 4 × 4.
  EXPECT_NEAR(upright.sum().item<double>(), 9, 1e-5);
}

TEST_F(LoaderTest, TornImageIsNamedWhenItsBatchIsDue) {
  const auto path = dataset_->image_path(dataset_->samples()[9]);
  const std::string bytes = read_file(path);
  write_file_atomic(path, bytes.substr(0, bytes.size() / 2));
  SampleStore store(*dataset_, nullptr, 8);
  Loader loader(store, [](int64_t batch) { return std::vector<Draw>{{batch, false}}; }, 8, 11, 2);
  loader.next();
  try {
    loader.next();
    FAIL() << "a torn image was read";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find(path.filename().string()), std::string::npos) << error.what();
  }
}

TEST_F(LoaderTest, ImageOfAnotherSizeIsNamed) {
  const auto path = dataset_->image_path(dataset_->samples()[3]);
  data::write_png(path, data::Image(16, 32));
  SampleStore store(*dataset_, nullptr, 8);
  EXPECT_THROW(make_batch(store, {{3, false}}), InputError);
}

TEST(TrainingPlanTest, AnEpochVisitsEachSampleOnceAndDropsTheRest) {
  experiments::Recipe recipe;
  recipe.shards = 2;
  recipe.shard_size = 5;
  recipe.epochs = 4;
  const TrainingPlan plan(recipe, 7, 47);
  EXPECT_EQ(plan.steps_per_epoch(), 4);
  EXPECT_EQ(plan.total_steps(), 16);
  std::vector<std::vector<int64_t>> epochs;
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    std::vector<int64_t> seen;
    for (int64_t step = epoch * 4; step < epoch * 4 + 4; ++step) {
      for (int64_t shard = 0; shard < 2; ++shard) {
        for (const Draw& draw : plan.shard(step, shard)) seen.push_back(draw.sample);
      }
    }
    EXPECT_EQ(seen.size(), 40u);
    EXPECT_EQ(std::set<int64_t>(seen.begin(), seen.end()).size(), 40u);
    EXPECT_FALSE(std::is_sorted(seen.begin(), seen.end()));
    epochs.push_back(seen);
  }
  EXPECT_NE(epochs[0], epochs[1]);
  // Whoever asks, in whatever order, gets the same draws.
  const TrainingPlan other(recipe, 7, 47);
  const auto late = other.shard(6, 1), early = other.shard(1, 0);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(late[i].sample, plan.shard(6, 1)[i].sample);
    EXPECT_EQ(late[i].mirrored, plan.shard(6, 1)[i].mirrored);
    EXPECT_EQ(early[i].sample, plan.shard(1, 0)[i].sample);
  }
}

TEST(TrainingPlanTest, FlipsAsOftenAsTheRecipeSays) {
  experiments::Recipe recipe;
  recipe.horizontal_flip = 0.25;
  const TrainingPlan plan(recipe, 1, 2560);
  int mirrored = 0;
  for (int64_t step = 0; step < 10; ++step) {
    for (int64_t shard = 0; shard < 4; ++shard) {
      for (const Draw& draw : plan.shard(step, shard)) mirrored += draw.mirrored;
    }
  }
  EXPECT_NEAR(mirrored / 2560.0, 0.25, 0.04);
}

TEST(TrainingPlanTest, TooFewImagesAreRefused) {
  EXPECT_THROW(TrainingPlan(experiments::Recipe{}, 0, 255), InputError);
}

}  // namespace
}  // namespace remixer::training
