// SPDX-License-Identifier: Apache-2.0
// What stands in the tables: rows, columns, gains, bests, missing figures, seeds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "reports/build_tables.h"
#include "reports/report.h"
#include "tests/reports/study_database.h"

namespace remixer::reports {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::vector<double> kPlain = {64, 30, 35, 70, 42}, kBetter = {68, 28, 34, 74, 50};
const char* const kDeit = "deit_nano_patch4_32";
const char* const kMixer = "mixer_nano_patch4_32";
const char* const kConvMixer = "convmixer_nano_patch4_32";

const Table* find(const std::vector<Table>& tables, const std::string& name) {
  for (const Table& table : tables) {
    if (table.name == name) return &table;
  }
  return nullptr;
}

std::vector<std::string> models(const Table& table) {
  std::vector<std::string> names;
  for (const Row& row : table.rows) {
    names.push_back(row.labels.empty() ? row.model : row.model + " | " + row.labels);
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
  Report report(const ReportRequest& request = {}) {
    return make_report(database_.file(), request);
  }
  std::vector<Table> tables(const ReportRequest& request = {}) { return report(request).tables; }
  StudyDatabase database_;
};

TEST_F(Tables, TableOneHasTheColumnsAndRowsOfThePaperWhateverTheGridsOrder) {
  for (const char* architecture : {kConvMixer, kMixer, kDeit}) {
    for (const char* labeler : {"bbox_grabcut", "relabel", "none", "saliency"}) {
      add(architecture, labeler, kPlain);
    }
  }
  const std::vector<Table> all = tables();
  const Table* table = find(all, "table1");
  ASSERT_TRUE(table);
  EXPECT_THAT(headings(*table), ElementsAre("Original ↑", "Only-BG-B ↓", "Only-FG ↑",
                                            "Mixed-Same ↑", "Mixed-Rand ↑", "BG-Gap ↓"));
  std::vector<std::string> expected;
  for (const char* model : {"DeiT-nano", "MLP-Mixer-nano", "ConvMixer-nano"}) {
    expected.insert(expected.end(), {model, "+ ReMixer (ours) | U²-Netp",
                                     "+ ReMixer (ours) | ReLabel (EfficientNet-lite0)",
                                     "+ ReMixer (ours) | Bbox+GrabCut"});
  }
  EXPECT_EQ(models(*table), expected);
  for (const Row& row : table->rows) {
    EXPECT_EQ(row.starts_block, row.labels.empty());
    EXPECT_EQ(row.test_time_boxes, row.labeler == "bbox_grabcut");
    EXPECT_EQ(row.ours, row.labeler == "bbox_grabcut");
    for (const Figure& figure : row.figures) EXPECT_FALSE(figure.best);
  }
  EXPECT_THAT(table->notes, Contains(HasSubstr("boxes of the test images")));
  const std::vector<Table> bare = tables({.extras = Extras::kNone});
  EXPECT_EQ(find(bare, "table1")->rows.size(), 9u);
  // What was left out of the paper's table is still to be seen.
  EXPECT_THAT(models(*find(bare, "results")), Contains("+ ReMixer (ours) | Bbox+GrabCut"));
}

TEST_F(Tables, TheVariantsThatThePaperLeavesOutStandApartUnlessAskedFor) {
  const std::string cell = add(kDeit, "none", kPlain);
  for (const char* set : {"only_bg_t", "no_fg", "mixed_next"}) {
    database_.add_figure(cell, set, 40);
  }
  const std::vector<Table> usual = tables();
  EXPECT_EQ(find(usual, "table1")->columns.size(), 6u);
  EXPECT_THAT(headings(*find(usual, "results")),
              ElementsAre("Only-BG-T ↓", "No-FG ↓", "Mixed-Next ↑"));
  const std::vector<Table> all = tables({.extras = Extras::kAll});
  EXPECT_THAT(headings(*find(all, "table1")), Contains("No-FG ↓‡"));
  EXPECT_FALSE(find(all, "results"));
}

TEST_F(Tables, ASetAsItIsCountsBeforeTheSameAsReleased) {
  using Set = StudyDatabase::Set;
  const std::string both = add(kDeit, "none", kPlain);
  const double others[] = {1, 2, 3, 4, 5};
  const char* sets[] = {"original", "only_bg_b", "only_fg", "mixed_same", "mixed_rand"};
  for (size_t i = 0; i < 5; ++i) database_.add_figure(both, Set::released(sets[i]), others[i]);
  const std::vector<Table> all = tables();
  const Table* table = find(all, "table1");
  ASSERT_TRUE(table);
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(table->rows[0].figures[i].value->value, kPlain[i]);
  EXPECT_EQ(table->rows[0].figures[5].value->value, kPlain[3] - kPlain[4]);
  EXPECT_THAT(table->notes, Contains(HasSubstr("BG-Gap: evaluated in both ways; these are the "
                                               "images as they are")));
  // The others stand apart, under names of their own.
  const Table* rest = find(all, "results");
  ASSERT_TRUE(rest);
  EXPECT_THAT(headings(*rest), Contains("Mixed-Rand (released) ↑"));
  EXPECT_EQ(rest->rows[0].figures.size(), 5u);
}

TEST_F(Tables, SetsThatAreOnlyEvaluatedAsReleasedFillTheTablesAndSaySo) {
  using Set = StudyDatabase::Set;
  const std::string cell = database_.add_cell({});
  for (const char* set : {"original", "mixed_same", "mixed_rand"}) {
    database_.add_figure(cell, Set::released(set), 50);
  }
  const std::vector<Table> all = tables();
  const Table* table = find(all, "table1");
  ASSERT_TRUE(table);
  EXPECT_EQ(table->rows[0].figures[0].value->value, 50);
  EXPECT_THAT(table->notes, Contains(HasSubstr("Original, Mixed-Same, Mixed-Rand, BG-Gap: images "
                                               "resized and cropped as the released code does")));
  EXPECT_FALSE(find(all, "results"));
}

TEST_F(Tables, AColumnIsFilledByKindAndSplitWhateverTheGridCallsThem) {
  const auto released = database_.import_dataset("theirs", "background_challenge",
                                                 {{"original", 4050}, {"mixed_rand", 4050}});
  const auto sketch = database_.import_dataset("drawings", "sketch_9", {{"val", 400}});
  const auto other = database_.import_dataset("sketch_9", "folder", {{"val", 400}});
  const std::string cell = add(kDeit, "none", kPlain);
  database_.add_figure(cell, {"theirs/original", "original", released}, 81.5, 4050);
  database_.add_figure(cell, {"drawings", "val", sketch}, 20.25, 400);
  database_.add_figure(cell, {"sketch_9", "val", other}, 99, 400);
  const std::vector<Table> all = tables();
  // The released test images count before the data set's own.
  EXPECT_EQ(find(all, "table1")->rows[0].figures[0].value->value, 81.5);
  EXPECT_EQ(find(all, "table1")->rows[0].figures[1].value->value, 30);
  const Table* shifted = find(all, "table5");
  ASSERT_TRUE(shifted);
  EXPECT_THAT(headings(*shifted), ElementsAre("ImageNet-9", "ImageNetV2-9", "ReaL-9", "Rendition-9",
                                              "Stylized-9", "Sketch-9"));
  EXPECT_EQ(shifted->rows[0].figures[5].value->value, 20.25);
  EXPECT_EQ(shifted->rows[0].figures[4].missing, Missing::kNotInGrid);
  // What is no sketch_9 but called so, and the own images, are not lost.
  EXPECT_THAT(headings(*find(all, "results")), ElementsAre("Original ↑", "sketch_9 ↑"));
}

TEST_F(Tables, AGapIsTakenWithinOneDataSet) {
  const auto released =
      database_.import_dataset("theirs", "background_challenge", {{"mixed_rand", 4050}});
  const std::string cell = add(kDeit, "none", kPlain);  // 70 - 42
  database_.add_figure(cell, {"theirs/mixed_rand", "mixed_rand", released}, 10, 4050);
  EXPECT_NEAR(find(tables(), "table1")->rows[0].figures[5].value->value, 28, 1e-9);
}

TEST_F(Tables, AGridOfOtherSetsHasAPlainTable) {
  const std::string plain = database_.add_cell({.train_set = "birds", .builder = "imported"});
  database_.add_figure(plain, "val", 50);
  const std::string with =
      database_.add_cell({.labeler = "relabel", .train_set = "birds", .builder = "imported"});
  database_.add_figure(with, "val", 60);
  const std::vector<Table> all = tables();
  ASSERT_EQ(all.size(), 2u);  // and κ's, which is missing
  const Table* results = find(all, "results");
  ASSERT_TRUE(results);
  EXPECT_THAT(headings(*results), ElementsAre("val ↑"));
  EXPECT_NEAR(results->rows[1].figures[0].gain->value, 10, 1e-9);
}

TEST_F(Tables, WhetherARowIsReMixerIsSaidByTheCellAndNotByItsLabeler) {
  add(kDeit, "none", kPlain);
  const std::string cell = database_.add_cell({.labeler = "relabel", .distance = "none"});
  database_.add_challenge(cell, kBetter);
  const Table table = *find(tables(), "table1");
  EXPECT_THAT(models(table), ElementsAre("DeiT-nano", "DeiT-nano | (2)"));
  EXPECT_FALSE(table.rows[1].is_remixer);
}

TEST_F(Tables, ThePrintedLabelerIsTheOneThatRan) {
  const auto labels = [&](const std::string& called, const std::string& kind) {
    database_.begin_grid("grid");
    database_.add_challenge(database_.add_cell({.labeler = called, .kind = kind, .other = called}),
                            kPlain);
    const Report made = report();
    return made.tables[0].rows[0].labels;
  };
  EXPECT_EQ(labels("bigbigan", "bigbigan"), "BigBiGAN");
  EXPECT_EQ(labels("bigbigan", "saliency"), "U²-Netp");
  EXPECT_EQ(labels("u2net", "u2net"), "U²-Net");
  EXPECT_EQ(labels("relabel", "relabel"), "ReLabel (EfficientNet-lite0)");
  EXPECT_EQ(labels("nfnet_f6", "script_relabel"), "ReLabel (NFNet-F6)");
  EXPECT_EQ(labels("resnet", "script_relabel"), "ReLabel (resnet)");
  EXPECT_EQ(labels("script_relabel", "script_relabel"), "ReLabel (own network)");
}

TEST_F(Tables, GainsAreOverThePlainModelOfTheBlockWithTheirIntervals) {
  add(kDeit, "none", kPlain);
  add(kDeit, "relabel", kBetter);
  add(kMixer, "none", {10, 10, 10, 10, 10});
  const std::vector<Table> all = tables();
  const Table& table = *find(all, "table1");
  EXPECT_FALSE(table.rows[0].figures[0].gain);
  const Figure& original = table.rows[1].figures[0];
  ASSERT_TRUE(original.gain);
  EXPECT_NEAR(original.gain->value, 4, 1e-9);
  EXPECT_NEAR(original.value->low, 100 * wilson(680, 1000).low, 1e-9);
  // Without predictions: as if independent.
  const Estimate gain = difference(wilson(680, 1000), wilson(640, 1000));
  EXPECT_EQ(original.gain->basis, Basis::kIndependent);
  EXPECT_NEAR(original.gain->low, 100 * gain.low, 1e-9);
  EXPECT_TRUE(original.gain->within_noise);                   // 64 to 68, of 1000 images each
  EXPECT_FALSE(table.rows[1].figures[4].gain->within_noise);  // 42 to 50
  // BG-Gap: 70 - 42 = 28 and 74 - 50 = 24.
  EXPECT_NEAR(table.rows[0].figures[5].value->value, 28, 1e-9);
  EXPECT_NEAR(table.rows[1].figures[5].gain->value, -4, 1e-9);
}

TEST_F(Tables, WithoutAFinishedPlainModelThereAreNoGains) {
  const std::string plain = database_.add_cell({}, "running");
  database_.add_evaluate_task(plain, "original", "waiting");
  add(kDeit, "relabel", kBetter);
  add(kMixer, "saliency", kPlain);  // its plain model is not in the grid at all
  add(kMixer, "relabel", kBetter);
  const std::vector<Table> all = tables();
  const Table& table = *find(all, "table1");
  EXPECT_THAT(models(table),
              ElementsAre("DeiT-nano", "+ ReMixer (ours) | ReLabel (EfficientNet-lite0)",
                          "MLP-Mixer-nano + ReMixer (ours) | U²-Netp",
                          "MLP-Mixer-nano + ReMixer (ours) | ReLabel (EfficientNet-lite0)"));
  for (const Row& row : table.rows) {
    for (const Figure& figure : row.figures) EXPECT_FALSE(figure.gain);
  }
}

TEST_F(Tables, AMissingFigureSaysWhy) {
  const std::string failed = database_.add_cell({.labeler = "none"});
  database_.add_evaluate_task(failed, "original", "failed");
  database_.add_evaluate_task(failed, "only_bg_b", "running");
  database_.add_evaluate_task(failed, "only_fg", "cancelled");
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
  EXPECT_EQ(table.rows[1].labels, "U²-Netp");
  EXPECT_EQ(table.rows[1].figures[0].missing, Missing::kFailed);
  EXPECT_EQ(table.rows[2].figures[0].missing, Missing::kRunning);
  EXPECT_THAT(table.notes,
              Contains("–: missing, 18 of 18 figures: 2 failed, 1 cancelled, 2 running, "
                       "2 waiting, 11 not in this grid."));
  EXPECT_EQ(find(all, "table3")->rows[0].figures[0].missing, Missing::kRunning);
}

TEST_F(Tables, SeedsGiveMeanDeviationAndPairedGains) {
  const std::vector<std::vector<double>> plain = {
      {60, 30, 30, 70, 40}, {62, 30, 30, 72, 44}, {64, 30, 30, 68, 42}};
  for (size_t seed = 0; seed < plain.size(); ++seed) {
    const int64_t number = static_cast<int64_t>(seed);
    database_.add_challenge(database_.add_cell({.seed = number}), plain[seed]);
    // 3, 3.5 and 4 better on Original: far outside what seeds differ by within a pair.
    std::vector<double> better = plain[seed];
    better[0] += 3 + 0.5 * static_cast<double>(seed);
    database_.add_challenge(database_.add_cell({.labeler = "relabel", .seed = number}), better);
  }
  const std::string last = database_.add_cell({.seed = 3});
  database_.add_evaluate_task(last, "original", "running");
  const std::vector<Table> all = tables();
  const Table& table = *find(all, "table1");
  ASSERT_EQ(table.rows.size(), 2u);
  const Figure& original = table.rows[0].figures[0];
  EXPECT_NEAR(original.value->value, 62, 1e-9);
  EXPECT_NEAR(*original.sd, 2, 1e-9);
  EXPECT_EQ(original.seeds, 3);
  EXPECT_EQ(original.seeds_in_grid, 4);
  const Figure& gap = table.rows[0].figures[5];  // 30, 28, 26: within a seed
  EXPECT_NEAR(gap.value->value, 28, 1e-9);
  EXPECT_NEAR(*gap.sd, 2, 1e-9);
  const Gain& gain = *table.rows[1].figures[0].gain;
  EXPECT_EQ(gain.basis, Basis::kSeedPairs);
  EXPECT_EQ(gain.pairs, 3);
  EXPECT_NEAR(gain.value, 3.5, 1e-9);
  EXPECT_NEAR(gain.high - gain.value, 4.302652730 * 0.5 / std::sqrt(3), 1e-6);
  EXPECT_FALSE(gain.within_noise);
  EXPECT_TRUE(table.rows[1].figures[1].gain->within_noise);
  EXPECT_THAT(table.notes, Contains(HasSubstr("standard deviation over 3 seeds")));
  EXPECT_THAT(table.notes, Contains(HasSubstr("1 figure rests on fewer seeds")));
  EXPECT_THAT(table.notes, Contains(HasSubstr("1 of 6 gains lie outside noise")));
}

TEST_F(Tables, CellsOfOtherParametersUnderEqualNamesAreNotSeeds) {
  for (const char* other : {"a", "b"}) {
    database_.add_challenge(database_.add_cell({.labeler = "saliency", .other = other}), kPlain);
  }
  database_.add_challenge(
      database_.add_cell({.labeler = "coarse", .kind = "saliency", .other = "c"}), kPlain);
  EXPECT_THAT(models(*find(tables(), "table1")),
              ElementsAre("DeiT-nano + ReMixer (ours) | U²-Netp · saliency",
                          "DeiT-nano + ReMixer (ours) | U²-Netp · saliency (2)",
                          "DeiT-nano + ReMixer (ours) | U²-Netp · coarse"));
}

TEST_F(Tables, TableTwoStandsBesideConvitAndItsGainsAreOverThePlainDeit) {
  for (const char* labeler : {"none", "saliency", "relabel"}) add(kDeit, labeler, kPlain);
  EXPECT_FALSE(find(tables(), "table2"));
  for (const char* labeler : {"none", "relabel"}) add(kDeit, labeler, kBetter, "convit");
  const std::vector<Table> all = tables();
  const Table* table = find(all, "table2");
  ASSERT_TRUE(table);
  EXPECT_THAT(
      models(*table),
      ElementsAre("DeiT-nano", "+ ConViT", "+ ReMixer (ours) | ReLabel (EfficientNet-lite0)",
                  "+ ConViT + ReMixer (ours) | ReLabel (EfficientNet-lite0)",
                  "+ ReMixer (ours) | U²-Netp"));
  EXPECT_TRUE(table->rows[4].ours);
  for (size_t r = 1; r < 4; ++r) {
    EXPECT_NEAR(table->rows[r].figures[0].gain->value, r == 2 ? 0 : 4, 1e-9);
  }
  EXPECT_EQ(find(all, "table1")->rows.size(), 3u);  // no ConViT among the DeiTs
}

TEST_F(Tables, TableThreeIsKappaByQuarterOfAnyDepth) {
  database_.add_cell({.labeler = "relabel", .seed = 0}, "done", {1, 2, 3, 4, 5, 6});
  database_.add_cell({.labeler = "relabel", .seed = 1}, "done", {2, 3, 4, 5, 6, 7});
  database_.add_cell({.architecture = kMixer, .labeler = "relabel"}, "done", {1, 2});
  const std::vector<Table> all = tables();
  const Table* table = find(all, "table3");
  ASSERT_TRUE(table);
  EXPECT_THAT(headings(*table), ElementsAre("Layer 1/4", "Layer 2/4", "Layer 3/4", "Layer 4/4"));
  const std::vector<Figure>& figures = table->rows[0].figures;
  EXPECT_NEAR(figures[0].value->value, 1.5, 1e-9);  // layer 0
  EXPECT_NEAR(figures[1].value->value, 3.0, 1e-9);  // layers 1 and 2
  EXPECT_NEAR(figures[2].value->value, 4.5, 1e-9);  // layer 3
  EXPECT_NEAR(figures[3].value->value, 6.0, 1e-9);  // layers 4 and 5
  EXPECT_EQ(figures[0].seeds, 2);
  EXPECT_EQ(table->rows[0].model, "DeiT-nano");
  // Two layers are no four quarters.
  EXPECT_FALSE(table->rows[1].figures[0].value);
  EXPECT_NEAR(table->rows[1].figures[1].value->value, 1, 1e-9);
}

TEST_F(Tables, TableSixPutsTheTwoModelsOfTokenLabelingIntoOneRow) {
  for (const char* architecture : {"deit_small_patch16_224", "deit_base_patch16_224"}) {
    for (const char* distance : {"none", "cosine"}) {
      const bool remixer = distance == std::string("cosine");
      const std::string cell = database_.add_cell({.architecture = architecture,
                                                   .labeler = remixer ? "relabel" : "targets",
                                                   .kind = "relabel",
                                                   .distance = distance,
                                                   .token_labeling = "oamixer"});
      database_.add_figure(cell, "val", remixer ? 81.5 : 80.2, 50000);
    }
  }
  const std::vector<Table> all = tables();
  const Table* table = find(all, "table6");
  ASSERT_TRUE(table);
  EXPECT_THAT(headings(*table), ElementsAre("TL", "TL + ReMixer"));
  EXPECT_THAT(models(*table), ElementsAre("DeiT-S | ReLabel (EfficientNet-lite0)",
                                          "DeiT-B | ReLabel (EfficientNet-lite0)"));
  EXPECT_FALSE(table->rows[0].figures[0].gain);
  EXPECT_NEAR(table->rows[0].figures[1].gain->value, 1.3, 1e-9);
  EXPECT_FALSE(find(all, "results"));
}

TEST_F(Tables, TableSevenPutsKernelsInOneBlockWithTheBestInBold) {
  add(kConvMixer, "none", kPlain);
  add(kConvMixer, "relabel", kBetter);
  EXPECT_FALSE(find(tables(), "table7"));
  add("convmixer_nano_patch4_32_full", "none", {69, 30, 35, 74, 42});
  add(kConvMixer, "bbox_grabcut", {90, 10, 90, 90, 90});
  const std::vector<Table> all = tables();
  const Table* table = find(all, "table7");
  ASSERT_TRUE(table);
  EXPECT_THAT(models(*table),
              ElementsAre("ConvMixer-nano", "+ ReMixer (ours) | ReLabel (EfficientNet-lite0)",
                          "ConvMixer-nano-Full", "+ ReMixer (ours) | Bbox+GrabCut"));
  EXPECT_TRUE(table->rows[2].grey);
  EXPECT_NEAR(table->rows[2].figures[0].gain->value, 5, 1e-9);
  const auto best = [&](size_t row) {
    std::vector<bool> flags;
    for (const Figure& figure : table->rows[row].figures) flags.push_back(figure.best);
    return flags;
  };
  EXPECT_THAT(best(0), ElementsAre(false, false, true, false, false, false));
  EXPECT_THAT(best(1), ElementsAre(false, true, false, true, true, true));
  EXPECT_THAT(best(2), ElementsAre(true, false, true, true, false, false));     // ties: both
  EXPECT_THAT(best(3), ElementsAre(false, false, false, false, false, false));  // ours
  EXPECT_TRUE(table->rows[2].figures[0].best_within_noise);                     // 69 against 68
  EXPECT_FALSE(table->rows[1].figures[4].best_within_noise);                    // 50 against 42
  EXPECT_EQ(find(all, "table1")->rows.size(), 3u);  // the full kernel is Table 7's
}

TEST_F(Tables, SeveralGridsMakeOneReport) {
  add(kDeit, "none", kPlain);
  database_.begin_grid("second");
  add(kDeit, "relabel", kBetter);
  EXPECT_EQ(find(tables({.grids = {"second"}}), "table1")->rows.size(), 1u);
  const Report both = report({.grids = {"grid", "second"}});
  EXPECT_EQ(both.grid, "grid + second");
  EXPECT_EQ(find(both.tables, "table1")->rows.size(), 2u);
  EXPECT_EQ(both.facts.cells, 2);
}

TEST_F(Tables, MovingAveragesStandInATableOfTheirOwn) {
  const std::string cell = add(kDeit, "none", kPlain);
  EXPECT_FALSE(find(tables(), "table1_ema"));
  database_.add_challenge(cell, kBetter, 1000, "ema");
  const std::vector<Table> all = tables();
  const Table* ema = find(all, "table1_ema");
  ASSERT_TRUE(ema);
  EXPECT_NEAR(ema->rows[0].figures[0].value->value, 68, 1e-9);
  EXPECT_NEAR(find(all, "table1")->rows[0].figures[0].value->value, 64, 1e-9);
}

TEST_F(Tables, WhatIsTrainedOtherwiseStandsInAnotherTable) {
  add(kDeit, "none", kPlain);
  database_.add_challenge(database_.add_cell({.recipe = "long/run"}), kBetter);
  const std::vector<Table> all = tables();
  EXPECT_TRUE(find(all, "table1_quickstart"));
  ASSERT_TRUE(find(all, "table1_long-run"));
  EXPECT_EQ(find(all, "table1_long-run")->rows.size(), 1u);
}

TEST_F(Tables, AModelAndALabelerOfTheUsersOwnHaveTheirPlace) {
  add("my_net", "none", kPlain);
  add("my_net", "my_labels", kBetter);
  add(kDeit, "none", kPlain);
  EXPECT_THAT(models(*find(tables(), "table1")),
              ElementsAre("DeiT-nano", "my_net", "+ ReMixer (ours) | my_labels"));
}

TEST_F(Tables, EveryFigureIsUniqueAmongItsTablesNames) {
  for (const char* labeler : {"none", "saliency", "relabel", "bbox_grabcut"}) {
    add(kDeit, labeler, kPlain);
    add(kDeit, labeler, kPlain, "convit");
  }
  database_.add_challenge(database_.add_cell({.labeler = "saliency", .other = "b"}), kPlain);
  for (const Table& table : tables({.extras = Extras::kAll})) {
    std::set<std::string> seen;
    for (const Row& row : table.rows) {
      EXPECT_TRUE(seen.insert(row.block + "|" + row.model + "|" + row.labels).second)
          << table.name << ": " << row.model << ", " << row.labels;
    }
  }
}

}  // namespace
}  // namespace remixer::reports
