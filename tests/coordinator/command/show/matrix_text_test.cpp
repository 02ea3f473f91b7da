// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/show/matrix_text.h"

#include <gtest/gtest.h>

namespace remixer::coordinator::command {
namespace {

Json place(int row, const char* labeler, int done, int failed, int running, const Json& figures) {
  return {{"row", row},
          {"labeler", labeler},
          {"cells", done + failed + running},
          {"states", {{"done", done}, {"failed", failed}, {"running", running}, {"waiting", 0}}},
          {"tasks", 9},
          {"tasks_done", 9 * done / (done + failed + running)},
          {"figures", figures}};
}

Json row(const char* architecture, const char* prior, const char* recipe) {
  return {{"architecture", architecture},
          {"spatial_prior", prior},
          {"train_set", "fashion"},
          {"recipe", recipe}};
}

Json matrix() {
  const Json figure = {{"original", {{"mean", 65.93}, {"deviation", 1.24}, {"seeds", 2}}}};
  const Json alone = {{"original", {{"mean", 70.0}, {"deviation", nullptr}, {"seeds", 1}}}};
  return {{"rows", {row("deit", "none", "quick"), row("deit", "convit", "quick")}},
          {"labelers", {"none", "saliency"}},
          {"eval_sets", {"mixed_rand", "original"}},
          {"places",
           {place(0, "none", 2, 0, 0, figure), place(0, "saliency", 0, 1, 0, Json::object()),
            place(1, "none", 0, 0, 1, alone)}}};
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
  Json two = matrix();
  two["rows"][1] = row("deit", "none", "long");
  EXPECT_NE(matrix_text(two, "original", 0).find("long"), std::string::npos);
}

TEST(MatrixTextTest, NothingIsEmpty) {
  const Json empty = {{"rows", Json::array()},
                      {"labelers", Json::array()},
                      {"eval_sets", Json::array()},
                      {"places", Json::array()}};
  EXPECT_EQ(matrix_text(empty, "", 80), "");
  EXPECT_EQ(usual_eval_set(empty), "");
}

}  // namespace
}  // namespace remixer::coordinator::command
