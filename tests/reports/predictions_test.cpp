// SPDX-License-Identifier: Apache-2.0
// Gains of one seed rest on the predictions that evaluations stored.
#include <gtest/gtest.h>

#include "base/predictions_file.h"
#include "reports/report.h"
#include "reports/stored_answers.h"
#include "tests/reports/study_database.h"

namespace remixer::reports {
namespace {

constexpr int64_t kImages = 200;

// Right on the images from `first` to `last` - 1.
std::vector<bool> right(int64_t first, int64_t last) {
  std::vector<bool> answers(kImages);
  for (int64_t i = first; i < last; ++i) answers[static_cast<size_t>(i)] = true;
  return answers;
}

class PredictionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_.begin_grid("grid");
    plain_ = database_.add_cell({});
    remixer_ = database_.add_cell({.labeler = "relabel"});
  }

  // The figure and its predictions.
  void add(const std::string& cell, const std::string& set, const std::vector<bool>& answers,
           const std::string& weights = "raw") {
    Predictions predictions(2, kImages);
    int64_t count = 0;
    for (int64_t i = 0; i < kImages; ++i) {
      const bool is_right = answers[static_cast<size_t>(i)];
      const float logits[] = {is_right ? 1.0f : 0.0f, is_right ? 0.0f : 1.0f};
      predictions.set(i, logits);
      count += is_right;
    }
    database_.add_figure(cell, set, 100.0 * static_cast<double>(count) / kImages, kImages, weights);
    PredictionsFile file;
    file.by_weights.emplace(weights, predictions);
    file.truth.labels.assign(kImages, 0);
    file.eval_set = set;
    file.cell = cell;
    std::filesystem::create_directories(path(cell, set).parent_path());
    write_predictions(path(cell, set), file);
  }
  std::filesystem::path path(const std::string& cell, const std::string& set) const {
    return database_.folder() / "runs" / ("evaluate " + set + " " + cell) /
           "predictions.safetensors";
  }
  Gain gain(size_t column) {
    const Report report = make_report(database_.file());
    return report.tables.at(0).rows.at(1).figures.at(column).gain.value();
  }

  StudyDatabase database_;
  std::string plain_, remixer_;
};

TEST_F(PredictionsTest, OneSeedIsToldFromNoiseByTheSameImages) {
  // 100 and 110 right of 200, 2 only by the plain one and 12 only by ReMixer: p = 0.0129. As if
  // independent, the interval would reach from -4.8 to 14.7.
  add(plain_, "original", right(0, 100));
  add(remixer_, "original", right(2, 112));
  const Gain found = gain(0);
  EXPECT_EQ(found.basis, Basis::kPaired);
  EXPECT_NEAR(found.value, 5, 1e-9);
  EXPECT_NEAR(*found.p, 2 * 106.0 / 16384, 1e-12);
  EXPECT_FALSE(found.within_noise);
  EXPECT_GT(found.low, 0);
  const Estimate interval = paired_difference({98, 12, 2, 88});
  EXPECT_NEAR(found.low, 100 * interval.low, 1e-9);
  EXPECT_NEAR(found.high, 100 * interval.high, 1e-9);
}

TEST_F(PredictionsTest, AsManyMoreRightAnswersOnOtherImagesAreNoise) {
  add(plain_, "original", right(0, 100));
  add(remixer_, "original", right(90, 200));
  EXPECT_TRUE(gain(0).within_noise);
}

TEST_F(PredictionsTest, AGapsGainJoinsTheIntervalsOfItsTwoSets) {
  add(plain_, "mixed_same", right(0, 140));
  add(remixer_, "mixed_same", right(0, 141));
  add(plain_, "mixed_rand", right(0, 80));
  add(remixer_, "mixed_rand", right(0, 100));
  const Gain found = gain(5);
  EXPECT_EQ(found.basis, Basis::kPaired);
  EXPECT_NEAR(found.value, -9.5, 1e-9);
  EXPECT_FALSE(found.p);
  EXPECT_FALSE(found.within_noise);
  const Estimate interval =
      difference(paired_difference({140, 1, 0, 59}), paired_difference({80, 20, 0, 100}));
  EXPECT_NEAR(found.low, 100 * interval.low, 1e-9);
}

TEST_F(PredictionsTest, WithoutThemTheIntervalIsTheWideOne) {
  add(plain_, "original", right(0, 100));
  add(remixer_, "original", right(2, 112));
  std::filesystem::resize_file(path(remixer_, "original"), 100);
  EXPECT_EQ(gain(0).basis, Basis::kIndependent);
  EXPECT_TRUE(gain(0).within_noise);
  std::filesystem::remove(path(remixer_, "original"));
  EXPECT_EQ(gain(0).basis, Basis::kIndependent);
}

TEST_F(PredictionsTest, TheMovingAveragesHaveTheirOwn) {
  add(plain_, "original", right(0, 100));
  const ReadCorrect read = stored_answers(database_.folder());
  const std::string file = "runs/evaluate original " + plain_ + "/predictions.safetensors";
  EXPECT_TRUE(read(file, "raw"));
  EXPECT_FALSE(read(file, "ema"));
  EXPECT_FALSE(read("runs/none", "raw"));
}

}  // namespace
}  // namespace remixer::reports
