// What stands in the tables: rows, gains, bests, missing figures, seeds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/build_tables.h"
#include "reports/report.h"
#include "tests/reports/study_database.h"

namespace remixer::reports {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<double> kPlain = {64, 30, 35, 70, 42}, kBetter = {68, 28, 34, 74, 50};

const Table* find(const std::vector<Table>& tables, const std::string& name) {
  for (const Table& table : tables) {
    if (table.name == name) return &table;
  }
  return nullptr;
}

const Row* find_row(const Table& table, const std::string& architecture, const std::string& labeler,
                    const std::string& prior = "none") {
  for (const Row& row : table.rows) {
    if (row.architecture == architecture && row.labeler == labeler && row.spatial_prior == prior) {
      return &row;
    }
  }
  return nullptr;
}

std::vector<std::string> models(const Table& table) {
  std::vector<std::string> names;
  for (const Row& row : table.rows) {
    names.push_back(row.labels.empty() ? row.model : row.model + " (" + row.labels + ")");
  }
  return names;
}

std::vector<std::string> headings(const Table& table) {
  std::vector<std::string> names;
  for (const Column& column : table.columns) names.push_back(column.heading_with_arrow());
  return names;
}

class Tables : public ::testing::Test {
 protected:
  void SetUp() override { database_.begin_grid("grid"); }
  std::string add(const std::string& architecture, const std::string& labeler,
                  const std::vector<double>& values, const std::string& prior = "none") {
    const std::string cell = database_.add_cell({architecture, labeler, prior});
    database_.add_challenge(cell, values);
    return cell;
  }
  std::vector<Table> tables() { return make_report(database_.file()).tables; }
  StudyDatabase database_;
};

TEST_F(Tables, TableOneHasTheColumnsAndRowsOfThePaperWhateverTheGridsOrder) {
  for (const char* architecture :
       {"convmixer_nano_patch4_32", "mixer_nano_patch4_32", "deit_nano_patch4_32"}) {
    for (const char* labeler : {"bbox_grabcut", "relabel", "none", "saliency"}) {
      add(architecture, labeler, kPlain);
    }
  }
  const std::vector<Table> all = tables();
  const Table* table = find(all, "table1");
  ASSERT_TRUE(table);
  EXPECT_THAT(headings(*table), ElementsAre("Original ↑", "Only-BG-B ↓", "Only-BG-T ↓",
                                            "Mixed-Same ↑", "Mixed-Rand ↑", "BG-Gap ↓"));
  EXPECT_THAT(
      models(*table),
      ElementsAre("DeiT-nano", "+ ReMixer (Saliency)", "+ ReMixer (ReLabel)",
                  "+ ReMixer (Bbox+GrabCut)", "Mixer-nano", "+ ReMixer (Saliency)",
                  "+ ReMixer (ReLabel)", "+ ReMixer (Bbox+GrabCut)", "ConvMixer-nano",
                  "+ ReMixer (Saliency)", "+ ReMixer (ReLabel)", "+ ReMixer (Bbox+GrabCut)"));
  for (const Row& row : table->rows) {
    EXPECT_EQ(row.starts_block, row.labels.empty());
    EXPECT_EQ(row.test_time_boxes, row.labeler == "bbox_grabcut");
  }
  EXPECT_THAT(table->notes, Contains(HasSubstr("boxes of the test images")));
}

TEST_F(Tables, GainsAreOverThePlainModelOfTheBlockWithTheirIntervals) {
  add("deit_nano_patch4_32", "none", kPlain);
  add("deit_nano_patch4_32", "relabel", kBetter);
  add("mixer_nano_patch4_32", "none", {10, 10, 10, 10, 10});
  const std::vector<Table> all = tables();
  const Table& table = *find(all, "table1");
  EXPECT_FALSE(table.rows[0].figures[0].gain);
  const Figure& original = table.rows[1].figures[0];
  ASSERT_TRUE(original.gain);
  EXPECT_NEAR(original.gain->value, 4, 1e-9);
  EXPECT_NEAR(original.value->low, 100 * wilson(680, 1000).low, 1e-9);
  const Estimate gain = difference(wilson(680, 1000), wilson(640, 1000));
  EXPECT_NEAR(original.gain->low, 100 * gain.low, 1e-9);
  EXPECT_NEAR(original.gain->high, 100 * gain.high, 1e-9);
  // BG-Gap: 70 - 42 = 28 and 74 - 50 = 24.
  EXPECT_NEAR(table.rows[0].figures[5].value->value, 28, 1e-9);
  EXPECT_NEAR(table.rows[1].figures[5].gain->value, -4, 1e-9);
  const Estimate gap = difference(wilson(740, 1000), wilson(500, 1000));
  EXPECT_NEAR(table.rows[1].figures[5].value->high, 100 * gap.high, 1e-9);
}

TEST_F(Tables, WithoutAFinishedPlainModelThereAreNoGains) {
  const std::string plain = database_.add_cell({}, "running");
  database_.add_evaluate_task(plain, "original", "waiting");
  add("deit_nano_patch4_32", "relabel", kBetter);
  add("mixer_nano_patch4_32", "saliency", kPlain);  // its plain model is not in the grid at all
  add("mixer_nano_patch4_32", "relabel", kBetter);
  const std::vector<Table> all = tables();
  const Table& table = *find(all, "table1");
  EXPECT_THAT(models(table),
              ElementsAre("DeiT-nano", "+ ReMixer (ReLabel)", "Mixer-nano + ReMixer (Saliency)",
                          "Mixer-nano + ReMixer (ReLabel)"));
  for (const Row& row : table.rows) {
    for (const Figure& figure : row.figures) EXPECT_FALSE(figure.gain);
  }
}

TEST_F(Tables, TheBestOfABlockFollowsTheArrowAndNeedsARival) {
  add("deit_nano_patch4_32", "none", kPlain);
  add("deit_nano_patch4_32", "relabel", {63, 28, 35, 74, 50});
  add("mixer_nano_patch4_32", "none", kPlain);
  const std::vector<Table> all = tables();
  const Table& table = *find(all, "table1");
  const auto best = [&](size_t row) {
    std::vector<bool> flags;
    for (const Figure& figure : table.rows[row].figures) flags.push_back(figure.best);
    return flags;
  };
  EXPECT_THAT(best(0), ElementsAre(true, false, true, false, false, false));  // a tie: both
  EXPECT_THAT(best(1), ElementsAre(false, true, true, true, true, true));
  EXPECT_THAT(best(2), ElementsAre(false, false, false, false, false, false));
}

TEST_F(Tables, AMissingFigureSaysWhy) {
  const std::string failed = database_.add_cell({.labeler = "none"});
  database_.add_evaluate_task(failed, "original", "failed");
  database_.add_evaluate_task(failed, "only_bg_b", "running");
  database_.add_evaluate_task(failed, "only_bg_t", "cancelled");
  database_.add_evaluate_task(failed, "mixed_same", "ready");
  const std::string training = database_.add_cell({.labeler = "relabel"}, "running");
  database_.add_evaluate_task(training, "original", "waiting");
  const std::string broken = database_.add_cell({.labeler = "saliency"}, "failed");
  database_.add_evaluate_task(broken, "original", "blocked");
  const std::vector<Table> all = tables();
  const Table& table = *find(all, "table1");
  const std::vector<Figure>& figures = table.rows[0].figures;
  EXPECT_EQ(figures[0].missing, Missing::kFailed);
  EXPECT_EQ(figures[1].missing, Missing::kRunning);
  EXPECT_EQ(figures[2].missing, Missing::kCancelled);
  EXPECT_EQ(figures[3].missing, Missing::kWaiting);
  EXPECT_EQ(figures[4].missing, Missing::kNotInGrid);
  EXPECT_EQ(find_row(table, "deit_nano_patch4_32", "relabel")->figures[0].missing,
            Missing::kRunning);
  EXPECT_EQ(find_row(table, "deit_nano_patch4_32", "saliency")->figures[0].missing,
            Missing::kFailed);
  EXPECT_THAT(table.notes,
              Contains("–: missing, 18 of 18 figures: 2 failed, 1 cancelled, 2 running, "
                       "2 waiting, 11 not in this grid."));
}

TEST_F(Tables, ADifferenceIsMissingWhenEitherSetIs) {
  const std::string cell = add("deit_nano_patch4_32", "none", {64, 30, 35, 70});
  database_.add_evaluate_task(cell, "mixed_rand", "running");
  const std::vector<Table> all = tables();
  const Figure& gap = find(all, "table1")->rows[0].figures[5];
  EXPECT_FALSE(gap.value);
  EXPECT_EQ(gap.missing, Missing::kRunning);
}

TEST_F(Tables, SeedsGiveMeanAndDeviationAndTheGapIsTakenWithinASeed) {
  const std::vector<std::vector<double>> seeds = {
      {60, 30, 30, 70, 40}, {62, 30, 30, 72, 44}, {64, 30, 30, 68, 42}};
  for (size_t seed = 0; seed < seeds.size(); ++seed) {
    database_.add_challenge(database_.add_cell({.seed = static_cast<int64_t>(seed)}), seeds[seed]);
  }
  const std::string last = database_.add_cell({.seed = 3});
  database_.add_evaluate_task(last, "original", "running");
  const std::vector<Table> all = tables();
  const Table& table = *find(all, "table1");
  ASSERT_EQ(table.rows.size(), 1u);
  const Figure& original = table.rows[0].figures[0];
  EXPECT_NEAR(original.value->value, 62, 1e-9);
  EXPECT_NEAR(*original.sd, 2, 1e-9);
  EXPECT_EQ(original.seeds, 3);
  EXPECT_EQ(original.seeds_in_grid, 4);
  const Figure& gap = table.rows[0].figures[5];  // 30, 28, 26
  EXPECT_NEAR(gap.value->value, 28, 1e-9);
  EXPECT_NEAR(*gap.sd, 2, 1e-9);
  EXPECT_EQ(gap.seeds_in_grid, 3);
  EXPECT_THAT(table.notes, Contains(HasSubstr("standard deviation over 3 seeds")));
  EXPECT_THAT(table.notes, Contains(HasSubstr("1 figure rests on fewer seeds")));
}

TEST_F(Tables, CellsOfOtherParametersUnderEqualNamesAreNotSeeds) {
  for (const char* other : {"a", "b"}) {
    database_.add_challenge(database_.add_cell({.labeler = "saliency", .other = other}), kPlain);
  }
  const std::vector<Table> all = tables();
  EXPECT_THAT(models(*find(all, "table1")),
              ElementsAre("DeiT-nano + ReMixer (Saliency)", "DeiT-nano + ReMixer (2) (Saliency)"));
}

TEST_F(Tables, TableTwoComparesTheLabelersThatBothModelsHave) {
  for (const char* labeler : {"none", "saliency", "relabel"}) {
    add("deit_nano_patch4_32", labeler, kPlain);
  }
  for (const char* labeler : {"none", "relabel"}) {
    add("deit_nano_patch4_32", labeler, kBetter, "convit");
  }
  const std::vector<Table> all = tables();
  const Table* table = find(all, "table2");
  ASSERT_TRUE(table);
  EXPECT_THAT(models(*table), ElementsAre("DeiT-nano", "+ ReMixer (ReLabel)", "DeiT-nano, ConViT",
                                          "+ ReMixer (ReLabel)"));
  EXPECT_NEAR(table->rows[3].figures[0].gain->value, 0, 1e-9);  // over the plain ConViT
  EXPECT_EQ(find(all, "table1")->rows.size(), 3u);              // no ConViT among the DeiTs
}

TEST_F(Tables, TableSevenPutsKernelsInOneBlockAndGainsOverTheSharedOne) {
  add("convmixer_nano_patch4_32", "none", kPlain);
  add("convmixer_nano_patch4_32", "relabel", kBetter);
  add("convmixer_nano_patch4_32_full", "none", {66, 30, 35, 70, 42});
  const std::vector<Table> all = tables();
  const Table* table = find(all, "table7");
  ASSERT_TRUE(table);
  EXPECT_THAT(models(*table),
              ElementsAre("ConvMixer-nano, shared kernel", "ConvMixer-nano, full kernel",
                          "+ ReMixer, shared kernel (ReLabel)"));
  EXPECT_NEAR(table->rows[1].figures[0].gain->value, 2, 1e-9);
  EXPECT_NEAR(table->rows[2].figures[0].gain->value, 4, 1e-9);
  EXPECT_EQ(find(all, "table1")->rows.size(), 2u);  // the full kernel is Table 7's alone
}

TEST_F(Tables, TableThreeTakesTheShiftedSetsWhereTheGridHasThemElseTheOtherVariants) {
  const std::string cell = add("deit_nano_patch4_32", "none", kPlain);
  database_.add_figure(cell, "only_fg", 50);
  std::vector<Table> all = tables();
  EXPECT_THAT(headings(*find(all, "table3")), ElementsAre("No-FG ↓", "Only-FG ↑", "Mixed-Next ↑"));
  database_.add_evaluate_task(cell, "sketch_9", "ready");
  all = tables();
  EXPECT_THAT(
      headings(*find(all, "table3")),
      ElementsAre("ImageNetV2-9 ↑", "ReaL-9 ↑", "Rendition-9 ↑", "Stylized-9 ↑", "Sketch-9 ↑"));
}

TEST_F(Tables, WhatTheGridCannotFillIsLeftOutWithTheReason) {
  add("deit_nano_patch4_32", "none", kPlain);
  const Report report = make_report(database_.file());
  ASSERT_EQ(report.tables.size(), 1u);
  EXPECT_THAT(report.tables[0].notes, Contains("Not in this grid: MLP-Mixer, ConvMixer."));
  EXPECT_THAT(report.left_out,
              ElementsAre(HasSubstr("Table 2"), HasSubstr("Table 3"), HasSubstr("Table 7")));
}

TEST_F(Tables, MovingAveragesStandInATableOfTheirOwn) {
  const std::string cell = add("deit_nano_patch4_32", "none", kPlain);
  EXPECT_FALSE(find(tables(), "table1_ema"));
  database_.add_challenge(cell, kBetter, 1000, "ema");
  const std::vector<Table> all = tables();
  const Table* ema = find(all, "table1_ema");
  ASSERT_TRUE(ema);
  EXPECT_NEAR(ema->rows[0].figures[0].value->value, 68, 1e-9);
  EXPECT_NEAR(find(all, "table1")->rows[0].figures[0].value->value, 64, 1e-9);
}

TEST_F(Tables, WhatIsTrainedOtherwiseStandsInAnotherTable) {
  add("deit_nano_patch4_32", "none", kPlain);
  database_.add_challenge(database_.add_cell({.recipe = "long/run"}), kBetter);
  const std::vector<Table> all = tables();
  EXPECT_TRUE(find(all, "table1_quickstart"));
  ASSERT_TRUE(find(all, "table1_long-run"));
  EXPECT_EQ(find(all, "table1_long-run")->rows.size(), 1u);
}

TEST_F(Tables, AModelAndALabelerOfTheUsersOwnHaveTheirPlace) {
  add("my_net", "none", kPlain);
  add("my_net", "my_labels", kBetter);
  add("deit_nano_patch4_32", "none", kPlain);
  const std::vector<Table> all = tables();
  EXPECT_THAT(models(*find(all, "table1")),
              ElementsAre("DeiT-nano", "my_net", "+ ReMixer (my_labels)"));
}

TEST_F(Tables, ThePapersNumbersStandBesideOursWhereAllNamesAgree) {
  add("deit_nano_patch4_32", "none", kPlain);
  const PaperNumber numbers[] = {
      {"1", "fashion-bg", "deit_nano_patch4_32", "none", "none", "bg_gap", 12.5},
      {"1", "another", "deit_nano_patch4_32", "none", "none", "original", 80.0}};
  const auto built =
      build_tables(read_study(database_.file(), ""), table_definitions(), numbers).tables;
  EXPECT_FALSE(built[0].columns[0].has_paper);
  EXPECT_TRUE(built[0].columns[5].has_paper);
  EXPECT_EQ(built[0].rows[0].figures[5].paper, 12.5);
  EXPECT_THAT(to_markdown(built[0]), HasSubstr("BG-Gap ↓ | paper |"));
  EXPECT_THAT(to_markdown(built[0]), HasSubstr("| 28.00 | 12.50 |"));
}

}  // namespace
}  // namespace remixer::reports
