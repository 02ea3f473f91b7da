// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/show/matrix_text.h"

#include <gtest/gtest.h>

namespace remixer::coordinator::command {
namespace {

namespace answers = experiments::protocol::answers;
using Figures = std::map<std::string, answers::SeedMean>;

answers::MatrixPlace place(int64_t row, const char* labeler, int64_t done, int64_t failed,
                           int64_t running, const Figures& figures) {
  answers::MatrixPlace made;
  made.row = row;
  made.labeler = labeler;
  made.cells = done + failed + running;
  made.states = {done, failed, running, 0};
  made.tasks = 9;
  made.tasks_done = 9 * done / made.cells;
  made.figures = figures;
  return made;
}

answers::MatrixRow row(const char* architecture, const char* prior, const char* recipe) {
  return {architecture, prior, "fashion", recipe};
}

answers::Matrix matrix() {
  const Figures two = {{"original", {65.93, 1.24, 2, std::nullopt}}};
  const Figures alone = {{"original", {70.0, std::nullopt, 1, std::nullopt}}};
  answers::Matrix made;
  made.rows = {row("deit", "none", "quick"), row("deit", "convit", "quick")};
  made.labelers = {"none", "saliency"};
  made.eval_sets = {"mixed_rand", "original"};
  made.places = {place(0, "none", 2, 0, 0, two), place(0, "saliency", 0, 1, 0, {}),
                 place(1, "none", 0, 0, 1, alone)};
  return made;
}

TEST(MatrixTextTest, ShowsMeansAndStates) {
  EXPECT_EQ(usual_eval_set(matrix()), "original");
  const std::string text = matrix_text(matrix(), "original", 0);
  EXPECT_NE(text.find("65.9 ± 1.2"), std::string::npos) << text;
  EXPECT_NE(text.find("70.0 ▶"), std::string::npos) << text;
  EXPECT_NE(text.find("0/9 ✕"), std::string::npos) << text;
  EXPECT_NE(text.find("deit + convit"), std::string::npos) << text;
  EXPECT_EQ(text.find("quick"), std::string::npos) << "what does not differ is left out";
}

TEST(MatrixTextTest, NamesWhatTellsRowsApart) {
  answers::Matrix two = matrix();
  two.rows[1] = row("deit", "none", "long");
  EXPECT_NE(matrix_text(two, "original", 0).find("long"), std::string::npos);
}

TEST(MatrixTextTest, NothingIsEmpty) {
  const answers::Matrix empty;
  EXPECT_EQ(matrix_text(empty, "", 80), "");
  EXPECT_EQ(usual_eval_set(empty), "");
}

}  // namespace
}  // namespace remixer::coordinator::command
