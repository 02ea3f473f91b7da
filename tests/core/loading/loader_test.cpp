// SPDX-License-Identifier: Apache-2.0
#include "core/loading/loader.h"

#include "core/loading/device_queue.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "core/training/plan.h"
#include "tests/core/training/tiny_cell.h"
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
  Loader loader(
      store,
      [](int64_t batch) {
        std::vector<Draw> draws;
        for (int64_t i = 0; i < 4; ++i)
          draws.push_back({(batch * 7 + i * 3) % 40, (batch + i) % 2 == 0, {}});
        return draws;
      },
      2, 14, threads);
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

TEST_F(LoaderTest, AQueueHandsOutTheLoadersBatchesInOrder) {
  SampleStore store(*dataset_, labels_.get(), 8);
  Loader loader(
      store,
      [](int64_t batch) {
        return std::vector<Draw>{{batch, false, {}}};
      },
      0, 5, 2);
  DeviceQueue queue(loader, at::kCPU, 5);
  for (int64_t i = 0; i < 5; ++i) {
    queue.prefetch();
    queue.prefetch();
    EXPECT_TRUE(at::equal(queue.next().images, make_batch(store, {{i, false, {}}}).images)) << i;
  }
  queue.prefetch();  // nothing is left
}

TEST_F(LoaderTest, PixelsAreNormalisedAndLabelsFollowTheFlip) {
  SampleStore store(*dataset_, labels_.get(), 8);
  const Batch batch = make_batch(store, {{5, false, {}}, {5, true, {}}});
  const data::Sample& sample = dataset_->samples()[5];
  const data::Image image = data::read_image(dataset_->image_path(sample));
  for (int c = 0; c < 3; ++c) {
    const double expected = (image.at(7, 21)[c] / 255.0 - 0.35) / 0.2;
    EXPECT_NEAR(batch.images[0][c][21][7].item<double>(), expected, 1e-5);
  }
  EXPECT_EQ(batch.classes[0].item<int64_t>(), sample.label);
  EXPECT_TRUE(at::equal(batch.images[0].flip(2), batch.images[1]));
  const at::Tensor upright = batch.patch_labels[0].view({8, 8, 1}),
                   mirrored = batch.patch_labels[1].view({8, 8, 1});
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
  Loader loader(
      store,
      [](int64_t batch) {
        return std::vector<Draw>{{batch, false, {}}};
      },
      8, 11, 2);
  loader.next();
  try {
    loader.next();
    FAIL() << "a torn image was read";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find(path.filename().string()), std::string::npos)
        << error.what();
  }
}

TEST_F(LoaderTest, ImageOfAnotherSizeIsNamed) {
  const auto path = dataset_->image_path(dataset_->samples()[3]);
  data::write_png(path, data::Image(16, 32));
  SampleStore store(*dataset_, nullptr, 8);
  EXPECT_THROW(make_batch(store, {{3, false, {}}}), InputError);
}

// The recipe's whole augmentation, on draws as training makes them.
class AugmentedLoaderTest : public LoaderTest {
 protected:
  static Reading reading() {
    experiments::Recipe recipe;
    recipe.random_resized_crop = true;
    recipe.rand_augment = "rand-m9-mstd0.5-inc1";
    recipe.random_erasing = 0.5;
    return {data::augmentation_settings(recipe, 48), /*strict=*/false};
  }
  static std::vector<Draw> draws(int64_t first, int64_t count) {
    std::vector<Draw> result;
    for (int64_t i = first; i < first + count; ++i) {
      result.push_back(
          {i % 40, i % 3 == 0, Random(1, RandomPurpose::kAugment, 0, static_cast<uint64_t>(i))});
    }
    return result;
  }
  static std::vector<Batch> read_all(SampleStore& store, int threads) {
    Loader loader(
        store, [](int64_t batch) { return draws(batch * 6, 6); }, 0, 20, threads);
    std::vector<Batch> batches;
    for (int i = 0; i < 20; ++i) batches.push_back(loader.next());
    return batches;
  }
};

TEST_F(AugmentedLoaderTest, ThreadsAndMemoryDoNotChangeBatches) {
  SampleStore kept(*dataset_, labels_.get(), 8, SampleStore::kMemoryLimit, reading());
  SampleStore streamed(*dataset_, labels_.get(), 8, 0, reading());
  const auto one = read_all(kept, 1), three = read_all(kept, 3), again = read_all(streamed, 2);
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].images.sizes(), (at::IntArrayRef{6, 3, 48, 48}));
    EXPECT_TRUE(at::equal(one[i].images, three[i].images));
    EXPECT_TRUE(at::equal(one[i].images, again[i].images));
    EXPECT_TRUE(at::equal(one[i].patch_labels, three[i].patch_labels));
    EXPECT_TRUE(at::equal(one[i].patch_labels, again[i].patch_labels));
  }
  // The same sample at another position is another image.
  const Batch batch = make_batch(kept, {draws(0, 1)[0], draws(40, 1)[0]});
  EXPECT_FALSE(at::equal(batch.images[0], batch.images[1]));
}

TEST_F(AugmentedLoaderTest, EvaluationSeesTheCentreOfAnImageOfAnotherSize) {
  SampleStore store(*dataset_, labels_.get(), 8, 0, reading());
  const Batch batch = make_batch(store, {{7, false, {}}});
  const auto& sample = dataset_->samples()[7];
  const data::Image image = data::resample(data::read_image(dataset_->image_path(sample)),
                                           {{0, 0, 32, 32}, 54, 54, {3, 3, 48, 48}});
  for (int c = 0; c < 3; ++c) {
    EXPECT_NEAR(batch.images[0][c][10][20].item<double>(),
                (image.at(20, 10)[c] / 255.0 - 0.35) / 0.2, 1e-5);
  }
  // The labels are of that part, too.
  std::vector<float> expected(64);
  data::patch_labels(labels_->map(sample.id),
                     data::Region{3 / 54.0, 3 / 54.0, 51 / 54.0, 51 / 54.0, false}, 8,
                     expected.data());
  for (int i = 0; i < 64; ++i) {
    EXPECT_NEAR(batch.patch_labels[0][i][0].item<double>(), expected[static_cast<size_t>(i)], 1e-5);
  }
}

TEST_F(AugmentedLoaderTest, AnUnreadableImageIsReplacedByTheNextOneAndCounted) {
  const auto path = [&](size_t i) { return dataset_->image_path(dataset_->samples()[i]); };
  write_file_atomic(path(9), read_file(path(9)).substr(0, 200));
  std::filesystem::remove(path(10));
  SampleStore store(*dataset_, labels_.get(), 8, 0, reading());
  Draw draw = draws(9, 1)[0], next = draw;
  next.sample = 11;
  const Batch batch = make_batch(store, {draw, next, draw});
  EXPECT_TRUE(at::equal(batch.images[0], batch.images[1]));
  EXPECT_TRUE(at::equal(batch.patch_labels[0], batch.patch_labels[1]));
  EXPECT_EQ(batch.classes[0].item<int64_t>(), dataset_->samples()[11].label);
  EXPECT_EQ(store.unreadable(), (std::set<int64_t>{9, 10}));

  Reading strict = reading();
  strict.strict = true;
  SampleStore stopping(*dataset_, labels_.get(), 8, 0, strict);
  try {
    make_batch(stopping, {draw});
    FAIL() << "a torn image was read";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find(path(9).filename().string()), std::string::npos)
        << error.what();
  }
}

TEST_F(AugmentedLoaderTest, AHeldOutImageNeverTakesAnothersPlace) {
  const auto& samples = dataset_->samples();
  for (const size_t i : {9, 20}) std::filesystem::remove(dataset_->image_path(samples[i]));
  Reading apart = reading();
  apart.held_out.resize(samples.size());
  for (const size_t i : {10, 11, 20, 23}) apart.held_out[i] = true;
  SampleStore store(*dataset_, labels_.get(), 8, 0, apart);
  std::vector<float> image(static_cast<size_t>(3 * store.image_size() * store.image_size()));
  std::vector<float> labels(64);
  EXPECT_EQ(store.read({9, false, {}}, image.data(), labels.data()), 12);
  EXPECT_EQ(store.read({20, false, {}}, image.data(), labels.data()), 23);
}

// OAMixer's released code leaves ReLabel's maps under erasing, and zeroes saliency.
TEST_F(AugmentedLoaderTest, LabelsOverClassesMayStayWhereAnImageIsErased) {
  const remixer::testing::ClassLabels classes(*dataset_);
  experiments::Recipe recipe;
  recipe.random_erasing = 1;
  const auto read = [&](const data::LabelSource& labels, const char* erased, bool erases = true) {
    experiments::Recipe wanted = recipe;
    wanted.erased_labels = erased;
    if (!erases) wanted.random_erasing = 0;
    SampleStore store(*dataset_, &labels, 8, 0, {data::augmentation_settings(wanted, 32), false});
    return make_batch(store, draws(0, 12));
  };
  const Batch background = read(classes, "background"), kept = read(classes, "kept"),
              whole = read(classes, "kept", false);
  EXPECT_TRUE(at::equal(kept.images, background.images));
  EXPECT_FALSE(at::equal(kept.images, whole.images));
  EXPECT_LT((kept.patch_labels - whole.patch_labels).abs().max().item<float>(), 1e-6);
  EXPECT_GT((background.patch_labels - whole.patch_labels).abs().max().item<float>(), 1e-3);
  EXPECT_TRUE(
      at::equal(read(*labels_, "kept").patch_labels, read(*labels_, "background").patch_labels));
}

// Maps of 6 × 6 cells that name three of many classes, other ones for each image.
class TopKLabels : public data::LabelSource {
 public:
  explicit TopKLabels(int channels) : channels_(channels) {}
  data::LabelMap map(std::string_view id) const override {
    data::LabelMap map;
    map.height = map.width = 6;
    map.channels = channels_;
    map.top_k = 3;
    const size_t start = std::hash<std::string_view>()(id);
    for (size_t cell = 0; cell < 36; ++cell) {
      for (size_t r = 0; r < 3; ++r) {
        const size_t label = (start + cell / 4 + r) % static_cast<size_t>(channels_);
        map.indices.push_back(static_cast<uint16_t>(label));
        map.values.push_back(9.0f - 3 * static_cast<float>(r));
      }
    }
    return map;
  }
  int channels() const override { return channels_; }
  bool names_top_k() const override { return true; }

 private:
  int channels_;
};

// What goes to a GPU is what a CPU would train on: whole, cropped, turned and erased images.
TEST_F(AugmentedLoaderTest, PackedLabelsAreTheSame) {
  const TopKLabels labels(100), few(9);
  SampleStore store(*dataset_, &labels, 8, 0, reading());
  SampleStore whole(*dataset_, &labels, 8);
  const std::vector<Draw> plain = {{5, false, {}}, {5, true, {}}, {6, false, {}}};
  const auto expect_same = [](SampleStore& from, const std::vector<Draw>& draws) {
    const Batch dense = make_batch(from, draws);
    const Batch packed = make_batch(from, draws, {.pinned = false, .packed = true});
    ASSERT_TRUE(packed.packed_labels.has_value());
    EXPECT_FALSE(packed.patch_labels.defined());
    EXPECT_TRUE(at::equal(packed.images, dense.images));
    EXPECT_TRUE(at::equal(unpack_labels(*packed.packed_labels), dense.patch_labels));
  };
  expect_same(store, draws(0, 24));
  expect_same(whole, plain);
  expect_same(whole, plain);  // the dense ones are in memory now
  SampleStore nine(*dataset_, &few, 8);
  const Batch small = make_batch(nine, plain, {.pinned = false, .packed = true});
  EXPECT_FALSE(small.packed_labels) << "nine numbers a patch are small as they are";
  EXPECT_TRUE(at::equal(small.patch_labels, make_batch(nine, plain).patch_labels));
}

TEST_F(AugmentedLoaderTest, WhereNothingCanBeReadTheRunStops) {
  for (const data::Sample& sample : dataset_->samples())
    std::filesystem::remove(dataset_->image_path(sample));
  SampleStore store(*dataset_, labels_.get(), 8, 0, reading());
  EXPECT_THROW(make_batch(store, draws(0, 1)), InputError);
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
