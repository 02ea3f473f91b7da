// SPDX-License-Identifier: Apache-2.0
#include "reports/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/packed_predictions.h"
#include "base/predictions_file.h"
#include "base/safetensors_file.h"
#include "reports/prediction_files.h"
#include "tests/reports/study_database.h"

namespace remixer::reports {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kImages = 50;
const std::vector<double> kKappa{0.5, 0.25, 0.125, 1, 2, 3, 4, 5};
const char* const kSets[] = {"original", "mixed_same", "mixed_rand"};

// A plain and a ReMixer model with all their files.
class CheckTest : public ::testing::Test {
 protected:
  CheckTest() {
    database_.begin_grid("grid");
    plain_ = add_cell({}, {});
    masked_ = add_cell({.labeler = "bbox_grabcut"}, kKappa);
    for (size_t s = 0; s < 3; ++s) {
      add_evaluation(plain_, kSets[s], 30 + static_cast<int64_t>(s));
      add_evaluation(masked_, kSets[s], 35 + static_cast<int64_t>(s));
    }
  }

  std::string add_cell(const StudyDatabase::CellSpec& spec, const std::vector<double>& kappa) {
    const std::string cell = database_.add_cell(spec, "done", kappa);
    const std::string model = "runs/" + cell.substr(0, 8) + "/model.safetensors";
    set_result("train " + cell, "$.model", model);
    std::vector<std::vector<float>> values;
    for (const double value : kappa) values.push_back({static_cast<float>(value)});
    std::vector<TensorSource> tensors;
    for (size_t i = 0; i < values.size(); ++i) {
      tensors.push_back(tensor_source(fmt::format("blocks.{}.remixer.kappa", i), {1}, values[i]));
    }
    write_tensor_file(database_.folder() / model, tensors);
    return cell;
  }

  static std::string predictions_path(const std::string& cell, const std::string& set) {
    return "runs/evaluate " + set + " " + cell + "/predictions.safetensors";
  }

  // `right` of 50 images; the database says the same.
  void add_evaluation(const std::string& cell, const std::string& set, int64_t right) {
    database_.add_figure(cell, set, 100.0 * static_cast<double>(right) / kImages, kImages);
    write_answers(cell, set, right);
    set_result("evaluate " + set + " " + cell, "$.predictions_sha256",
               sha256_file(database_.folder() / predictions_path(cell, set)));
  }

  void write_answers(const std::string& cell, const std::string& set, int64_t right) {
    PredictionsFile file;
    file.cell = cell;
    file.eval_set = set;
    Predictions predictions(3, kImages);
    for (int64_t i = 0; i < kImages; ++i) {
      file.truth.labels.push_back(static_cast<int32_t>(i % 2));
      std::vector<float> logits(3);
      logits[static_cast<size_t>(i < right ? i % 2 : 2)] = 1;
      predictions.set(i, logits);
    }
    file.by_weights["raw"] = predictions;
    write_predictions(database_.folder() / predictions_path(cell, set), file);
  }

  void set_result(const std::string& task, const std::string& field, const std::string& value) {
    SQLite::Statement query(database_.connection(),
                            "UPDATE task SET result = json_set(result, ?, ?) WHERE id = ?");
    query.bind(1, field);
    query.bind(2, value);
    query.bind(3, task);
    query.exec();
  }

  CheckResult check() { return check_report(database_.file()); }

  StudyDatabase database_;
  std::string plain_, masked_;
};

TEST_F(CheckTest, WhatTheFilesGivePasses) {
  const CheckResult result = check();
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_THAT(result.remarks, IsEmpty());
  EXPECT_EQ(result.predictions, 6);
  EXPECT_EQ(result.checkpoints, 1);
  EXPECT_GT(result.numbers, 2 * 4);
  EXPECT_THAT(check_text(result), HasSubstr("agree with 6 files of predictions"));
}

// Even one that no figure shows, since it was wrong and still is.
TEST_F(CheckTest, AFlippedPredictionIsNamed) {
  const auto path = database_.folder() / predictions_path(masked_, "mixed_rand");
  for (const int64_t image : {int64_t{0}, kImages - 1}) {
    PredictionsFile file = read_predictions(path);
    const PredictionsFile whole = file;
    Predictions& predictions = file.by_weights["raw"];
    std::swap(predictions.classes[static_cast<size_t>(image * 3)],
              predictions.classes[static_cast<size_t>(image * 3 + (image == 0 ? 2 : 1))]);
    write_predictions(path, file);
    const CheckResult result = check();
    EXPECT_FALSE(result.passed()) << image;
    EXPECT_THAT(result.problems, Each(HasSubstr("+ ReMixer")));
    EXPECT_THAT(result.problems,
                ::testing::Contains(AllOf(HasSubstr("table1"), HasSubstr("Mixed-Rand"),
                                          HasSubstr(predictions_path(masked_, "mixed_rand")))));
    write_predictions(path, whole);
  }
  EXPECT_TRUE(check().passed());
}

// Without the hash as well, as of results that are older than it.
TEST_F(CheckTest, AFlippedPredictionIsCounted) {
  set_result("evaluate original " + masked_, "$.predictions_sha256", "");
  write_answers(masked_, "original", 36);
  const CheckResult result = check();
  EXPECT_THAT(
      result.problems,
      ElementsAre(AllOf(HasSubstr("table1: "), HasSubstr("+ ReMixer"),
                        HasSubstr("Original: the database gives 70.0"), HasSubstr("the files 72.0"),
                        HasSubstr(predictions_path(masked_, "original")))));
}

TEST_F(CheckTest, AChangedDatabaseValueIsNamed) {
  database_.connection().exec(
      "UPDATE figure SET value = 66 WHERE eval_set = 'original' AND task = (SELECT number FROM "
      "task WHERE id = 'evaluate original " +
      plain_ + "')");
  const CheckResult result = check();
  // The plain row's figure, and the gain that is over it.
  EXPECT_THAT(result.problems, ElementsAre(AllOf(HasSubstr("table1: "),
                                                 HasSubstr("Original: the database gives "
                                                           "66.0"),
                                                 HasSubstr("the files 60.0")),
                                           AllOf(HasSubstr("+ ReMixer"), HasSubstr("Original"),
                                                 HasSubstr("a gain of"))));
  EXPECT_THAT(check_text(result), HasSubstr("do not agree"));
}

TEST_F(CheckTest, AChangedKappaIsNamed) {
  database_.connection().exec(
      "UPDATE task SET result = json_set(result, '$.kappa[1]', 0.26) WHERE id = 'train " + masked_ +
      "'");
  const CheckResult result = check();
  EXPECT_THAT(result.problems, ElementsAre(AllOf(HasSubstr("table3: "), HasSubstr("Layer 1/4"),
                                                 HasSubstr("0.38"), HasSubstr("0.375"))));
}

TEST_F(CheckTest, WithoutACheckpointKappaIsComparedWithWhatWasRecorded) {
  std::filesystem::remove(database_.folder() / "runs" / masked_.substr(0, 8) / "model.safetensors");
  CheckResult result = check();
  EXPECT_THAT(result.problems, SizeIs(4)) << "no checkpoint, and nothing recorded";
  EXPECT_THAT(result.problems, Each(AllOf(HasSubstr("table3"), HasSubstr("checkpoint"))));

  database_.connection().exec(
      "INSERT OR IGNORE INTO worker (id, name, host, pid, ranks, device, boot_id, version, "
      "environment, gone) VALUES ('w', 'w', 'h', 1, 1, 'cpu', 'b', 'v', '{}', 0)");
  database_.connection().exec(
      "INSERT INTO attempt SELECT 77, number, 1, 'w', 'done', 0, 1, '', 1, 1, '', 1 FROM task "
      "WHERE id = 'train " +
      masked_ + "'");
  for (size_t i = 0; i < kKappa.size(); ++i) {
    database_.connection().exec(fmt::format(
        "INSERT INTO metric VALUES (77, 'kappa.{}', 5, 1, 9.5), (77, 'kappa.{}', 10, 2, {})", i, i,
        kKappa[i]));
  }
  result = check();
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_THAT(result.remarks, ElementsAre(HasSubstr("κ of 1 training: no checkpoint is kept")));
}

TEST_F(CheckTest, MissingTornAndForeignPredictionsAreNamed) {
  const auto path = database_.folder() / predictions_path(plain_, "mixed_same");
  const std::string whole = read_file(path);
  std::filesystem::remove(path);
  const auto named = [&](const char* what) {
    return ::testing::Contains(
        AllOf(HasSubstr("table1"), HasSubstr("Mixed-Same"), HasSubstr(what)));
  };
  EXPECT_THAT(check().problems, named("No such file"));
  write_file_atomic(path, whole.substr(0, whole.size() / 2));
  EXPECT_THAT(check().problems, named("torn"));
  set_result("evaluate mixed_same " + plain_, "$.predictions_sha256", "");
  write_file_atomic(path, read_file(database_.folder() / predictions_path(masked_, "mixed_same")));
  EXPECT_THAT(check().problems, named("holds the predictions of cell"));
  write_file_atomic(path, whole);
  EXPECT_THAT(check().problems, IsEmpty());
}

// An exported workspace has no run folders.
TEST_F(CheckTest, PackedPredictionsAreCountedInTheirPlace) {
  const std::string table = to_csv(make_report(database_.file()).tables.at(0));
  std::vector<PackedEvaluation> packed;
  for (const std::string& cell : {plain_, masked_}) {
    for (const char* set : kSets) {
      const auto path = database_.folder() / predictions_path(cell, set);
      packed.push_back({.file = predictions_path(cell, set),
                        .sha256 = sha256_file(path),
                        .predictions = read_predictions(path)});
      std::filesystem::remove(path);
    }
  }
  EXPECT_FALSE(check().passed());
  const auto file = database_.folder() / kPackedPredictions;
  write_packed_predictions(file, packed);
  const CheckResult result = check();
  EXPECT_THAT(result.problems, IsEmpty());
  EXPECT_THAT(result.remarks, ElementsAre(HasSubstr("6 files of predictions are packed")));
  EXPECT_EQ(result.predictions, 6);
  // The paired tests too come from them.
  EXPECT_THAT(table, HasSubstr("paired"));
  EXPECT_EQ(to_csv(make_report(database_.file()).tables.at(0)), table);

  Predictions& flipped = packed[5].predictions.by_weights.at("raw");
  std::swap(flipped.classes[0], flipped.classes[2]);
  write_packed_predictions(file, packed);
  EXPECT_THAT(check().problems,
              ::testing::Contains(AllOf(HasSubstr("+ ReMixer"), HasSubstr("Mixed-Rand"))));
  packed[5].sha256 = "another";
  write_packed_predictions(file, packed);
  EXPECT_THAT(check().problems, ::testing::Contains(HasSubstr("its SHA-256 is another")));
  packed.pop_back();
  write_packed_predictions(file, packed);
  EXPECT_THAT(check().problems, ::testing::Contains(HasSubstr("No such file")));
  write_file_atomic(file, "no tensors");
  EXPECT_THROW(check(), InputError);
}

}  // namespace
}  // namespace remixer::reports
