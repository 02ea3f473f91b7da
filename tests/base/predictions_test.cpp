// SPDX-License-Identifier: Apache-2.0
#include "base/predictions_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "base/accuracy.h"
#include "base/error.h"
#include "base/file.h"
#include "base/packed_predictions.h"
#include "base/safetensors_file.h"
#include "tests/support/temporary_folder.h"

namespace remixer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A model that is sure of one class an image.
Predictions sure(int64_t classes, const std::vector<int>& of) {
  Predictions predictions(classes, static_cast<int64_t>(of.size()));
  for (size_t i = 0; i < of.size(); ++i) {
    std::vector<float> logits(static_cast<size_t>(classes));
    for (int64_t c = 0; c < classes; ++c) logits[static_cast<size_t>(c)] = -static_cast<float>(c);
    logits[static_cast<size_t>(of[i])] = 5;
    predictions.set(static_cast<int64_t>(i), logits);
  }
  return predictions;
}

PredictionsFile example() {
  PredictionsFile file;
  file.truth.labels = {3, 1, 2, 0};
  file.truth.more_labels = {{1, {4, 4}}};
  file.truth.foregrounds = {-1, 0, 0, 1};
  file.by_weights["raw"] = sure(9, {3, 8, 2, 1});
  file.eval_set = "mixed_rand";
  return file;
}

TEST(Predictions, AreCountedImageByImage) {
  const PredictionsFile file = example();
  EXPECT_THAT(right_by_image(file.by_weights.at("raw"), file.truth),
              ElementsAre(true, false, true, false));
  const auto found = figures(file.by_weights.at("raw"), file.truth);
  EXPECT_EQ(found[0], (PredictionFigure{"top1", 50, 4}));
}

TEST(Predictions, AFileWithoutTheWholeTruthSaysSo) {
  const TemporaryFolder folder;
  PredictionsFile file = example();
  write_predictions(folder.path() / "new", file);
  EXPECT_TRUE(read_predictions(folder.path() / "new").whole_truth);
  file.whole_truth = false;
  file.truth.more_labels.clear();
  write_predictions(folder.path() / "old", file);
  EXPECT_FALSE(read_predictions(folder.path() / "old").whole_truth);
}

TEST(Predictions, AFileOfOtherShapesIsRefused) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "predictions";
  write_predictions(path, example());
  std::string bytes = read_file(path);
  const size_t at = bytes.find("[4,9]", bytes.find("\"raw.logits\""));
  ASSERT_NE(at, std::string::npos);
  write_file_atomic(path, bytes.replace(at, 5, "[9,4]"));
  try {
    read_predictions(path);
    FAIL() << "it was read";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("not a file of predictions: 'raw' has other shapes"));
  }
}

// Whatever bytes are turned, the file is refused by name, or read as predictions that are whole.
void read_turned(const std::filesystem::path& path, int times, const std::function<void()>& read) {
  const std::string whole = read_file(path);
  std::mt19937 random(7);
  for (int i = 0; i < times; ++i) {
    std::string bytes = whole;
    for (int k = 0; k < 1 + i % 3; ++k) bytes[random() % bytes.size()] ^= 1 << random() % 8;
    if (i % 5 == 0) bytes.resize(random() % bytes.size());
    write_file_atomic(path, bytes);
    try {
      read();
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(path.string()));
    }
  }
}

void count(const PredictionsFile& file) {
  for (const auto& [weights, predictions] : file.by_weights) figures(predictions, file.truth);
}

TEST(Predictions, TornAndTurnedFilesNeverCrash) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "predictions";
  write_predictions(path, example());
  read_turned(path, 100, [&] { count(read_predictions(path)); });
}

std::vector<PackedEvaluation> some_evaluations() {
  std::vector<PackedEvaluation> all;
  for (int i = 0; i < 3; ++i) {
    PackedEvaluation one{.file = fmt::format("runs/{}", 2 - i),
                         .sha256 = fmt::format("sha {}", i),
                         .predictions = example()};
    one.predictions.cell = fmt::format("cell {}", i);
    one.predictions.by_weights["ema"] = sure(9, {i, i, i, i});
    if (i == 2) one.predictions.truth.labels[0] = 8;
    all.push_back(std::move(one));
  }
  // A model of many classes, which does not keep all of them anyway.
  all[1].predictions.by_weights = {{"raw", sure(1000, {999, 1, 2, 3})}};
  return all;
}

TEST(PackedPredictions, GiveTheSameFigures) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "packed";
  const std::vector<PackedEvaluation> all = some_evaluations();
  write_packed_predictions(path, all);
  const PackedPredictions packed(path);
  EXPECT_EQ(packed.files().size(), all.size());
  EXPECT_FALSE(packed.has("runs/3"));
  for (const PackedEvaluation& one : all) {
    ASSERT_TRUE(packed.has(one.file));
    EXPECT_EQ(packed.sha256(one.file), one.sha256);
    const PredictionsFile file = packed.read(one.file);
    EXPECT_EQ(file.truth, one.predictions.truth);
    EXPECT_EQ(file.cell, one.predictions.cell);
    EXPECT_EQ(file.eval_set, "mixed_rand");
    ASSERT_EQ(file.by_weights.size(), one.predictions.by_weights.size());
    for (const auto& [weights, predictions] : one.predictions.by_weights) {
      const Predictions& found = file.by_weights.at(weights);
      EXPECT_EQ(found.kept, 5);
      EXPECT_EQ(figures(found, file.truth), figures(predictions, file.truth));
      EXPECT_EQ(right_by_image(found, file.truth), right_by_image(predictions, file.truth));
      EXPECT_TRUE(std::isnan(found.logits.at(0)));
    }
  }
  // In any order the same bytes.
  const std::string bytes = read_file(path);
  write_packed_predictions(path, {all[2], all[0], all[1]});
  EXPECT_EQ(read_file(path), bytes);
}

TEST(PackedPredictions, TornAndTurnedFilesNeverCrash) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "packed";
  write_packed_predictions(path, some_evaluations());
  read_turned(path, 300, [&] {
    const PackedPredictions packed(path);
    for (const auto& [name, place] : packed.files()) count(packed.read(name));
  });
  write_predictions(path, example());
  EXPECT_THROW(PackedPredictions{path}, InputError);
}

TEST(SafetensorsFile, ReadsEveryType) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "tensors";
  const auto raw = [](const char* name, ElementType type, std::vector<int64_t> shape,
                      std::string bytes) {
    return TensorSource{name, type, std::move(shape),
                        [bytes](AtomicFile& file) { file.write(bytes); }};
  };
  const std::vector<float> floats{0.5f, -2};
  write_tensor_file(path,
                    {raw("half", ElementType::kF16, {4}, {"\x00\x3c\x01\x00\x00\xfc\x66\xb6", 8}),
                     raw("brain", ElementType::kBF16, {1}, {"\x40\xc0", 2}),
                     raw("wide", ElementType::kI64, {1}, {"\xfe\xff\xff\xff\xff\xff\xff\xff", 8}),
                     raw("flags", ElementType::kBool, {2}, {"\x01\x00", 2}),
                     tensor_source("floats", {2, 1}, floats)},
                    {{"key", "value"}});
  const SafetensorsFile file(path);
  EXPECT_THAT(file.floats("half"),
              ElementsAre(1.0f, std::ldexp(1.0f, -24), -INFINITY, -0.39990234375f));
  EXPECT_THAT(file.floats("brain"), ElementsAre(-3.0f));
  EXPECT_THAT(file.integers("wide"), ElementsAre(-2));
  EXPECT_THAT(file.integers("flags"), ElementsAre(1, 0));
  EXPECT_THAT(file.floats("floats"), ElementsAre(0.5f, -2.0f));
  EXPECT_EQ(file.entry("floats").shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(file.metadata("key"), "value");
  EXPECT_THROW(file.floats("flags"), InputError);
  EXPECT_THROW(file.integers("half"), InputError);
  EXPECT_THROW(file.floats("none"), InputError);
  EXPECT_THROW(SafetensorsFile(folder.path() / "no-such-file"), InputError);
  EXPECT_THROW(SafetensorsFile(folder.path()), InputError);
}

}  // namespace
}  // namespace remixer
