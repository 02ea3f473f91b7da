// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/show/cell_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text_table.h"

namespace remixer::coordinator::command {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using experiments::protocol::Figure;

Figure figure(const char* set, double value, const char* weights = "raw",
              const char* metric = "top1") {
  return {weights, set, metric, value, 1000};
}

answers::Cell cell(const char* architecture, const char* labeler, int64_t seed = 0,
                   const char* prior = "none") {
  answers::Cell made;
  made.architecture = architecture;
  made.spatial_prior = prior;
  made.labeler = labeler;
  made.seed = seed;
  made.figures = {figure("original", 65.5, "ema"), figure("original", 90, "raw", "top5"),
                  figure("original", 64.24), figure("mixed_same", 60), figure("mixed_rand", 41.7)};
  return made;
}

const std::vector<std::string> kSets{"original", "mixed_same", "mixed_rand"};

TEST(CellRows, ShowTop1OfRawWeightsAndTheGap) {
  const std::vector<answers::Cell> cells = {cell("deit_nano_patch4_32", "none")};
  const CellRows rows(cells, kSets, 0);
  EXPECT_EQ(rows.heading(), "model      labels  original  mixed_same  mixed_rand    gap");
  EXPECT_EQ(rows.row(cells[0]), "deit_nano  none        64.2        60.0        41.7   18.3");
}

TEST(CellRows, MarkMissingFigures) {
  answers::Cell one = cell("deit_nano_patch4_32", "none");
  one.figures = {figure("original", 50)};
  const CellRows rows({one}, kSets, 0);
  EXPECT_EQ(rows.row(one), "deit_nano  none        50.0           -           -      -");
}

TEST(CellRows, LeaveOutWhatDoesNotFitButKeepTheComparison) {
  const std::vector<answers::Cell> cells = {cell("deit_nano_patch4_32", "none")};
  const CellRows rows(
      cells, {"only_fg", "original", "no_fg", "mixed_same", "mixed_rand", "only_bg_b"}, 60);
  EXPECT_LE(display_width(rows.heading()), 60u);
  EXPECT_THAT(rows.heading(), HasSubstr("mixed_rand"));
  EXPECT_THAT(rows.heading(), HasSubstr("original"));
  EXPECT_THAT(rows.heading(), Not(HasSubstr("only_bg_b")));
}

TEST(CellRows, NameTheSeedOnlyWhereThereAreSeveral) {
  const std::vector<answers::Cell> cells = {cell("mixer_nano_patch4_32", "none", 0),
                                            cell("mixer_nano_patch4_32", "none", 1)};
  EXPECT_THAT(CellRows(cells, kSets, 0).heading(), HasSubstr("seed"));
  EXPECT_THAT(CellRows({cells[0]}, kSets, 0).heading(), Not(HasSubstr("seed")));
}

TEST(ModelText, LeavesOutPatchAndImageSizeOnly) {
  EXPECT_EQ(model_text(cell("convmixer_nano_patch4_32_full", "none")), "convmixer_nano_full");
  EXPECT_EQ(model_text(cell("deit_nano_patch4_32", "none", 0, "convit")), "deit_nano + convit");
  EXPECT_EQ(model_text(cell("convmixer_512_8", "none")), "convmixer_512_8");
  EXPECT_EQ(model_text(cell("odd_patchwork", "none")), "odd_patchwork");
}

TEST(EvalSetsOf, FollowTheirFirstAppearance) {
  answers::Cell second = cell("a", "none");
  second.figures.push_back(figure("no_fg", 1));
  EXPECT_THAT(eval_sets_of({cell("a", "none"), second}),
              ElementsAre("original", "mixed_same", "mixed_rand", "no_fg"));
}

}  // namespace
}  // namespace remixer::coordinator::command
