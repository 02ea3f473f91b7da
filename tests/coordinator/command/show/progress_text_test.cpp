// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/show/progress_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/text_table.h"

namespace remixer::coordinator::command {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Json states(int64_t waiting, int64_t running, int64_t done, int64_t failed = 0,
            int64_t blocked = 0) {
  return {{"waiting", waiting}, {"ready", 0},         {"running", running}, {"done", done},
          {"failed", failed},   {"blocked", blocked}, {"cancelled", 0}};
}

Json grid(int64_t id, const Json& states, int64_t tasks) {
  return {{"id", id},         {"name", "quickstart"}, {"state", "running"},
          {"cells", 15},      {"cells_done", 4},      {"tasks", tasks},
          {"states", states}, {"fraction", 0.5},      {"seconds_left", 1205.0}};
}

Json attempt(const char* title, int64_t grid_id) {
  return {{"title", title},        {"step", 120},
          {"total_steps", 1000},   {"activity", "training"},
          {"seconds_left", 170.0}, {"metrics", {{"loss", 1.8934}, {"images_per_second", 409.7}}},
          {"grids", {grid_id}}};
}

Json event(const char* id, const char* ended_at, int64_t grid_id = 1) {
  return {{"task_id", id}, {"title", id}, {"ended_at", ended_at}, {"grids", {grid_id}}};
}

Json status_of(const Json& grids, const Json& running) {
  return {{"grids", grids},
          {"running", running},
          {"finished", Json::array()},
          {"failures", Json::array()}};
}

TEST(ProgressBar, FillsInProportionAndIsFullOnlyAtTheEnd) {
  EXPECT_EQ(progress_bar(0, 10), "[----------]");
  EXPECT_EQ(progress_bar(0.5, 10), "[#####-----]");
  EXPECT_EQ(progress_bar(0.9999, 10), "[#########-]");
  EXPECT_EQ(progress_bar(1, 10), "[##########]");
  EXPECT_EQ(progress_bar(7, 4), "[####]");
  EXPECT_EQ(progress_bar(-1, 4), "[----]");
  EXPECT_EQ(progress_bar(std::nan(""), 4), "[----]");
}

TEST(GridSummary, SaysDoneElapsedAndToGo) {
  EXPECT_EQ(grid_summary(grid(1, states(80, 2, 45), 127), 725),
            "45 of 127 tasks · 4 of 15 cells · 12 min · about 21 min to go");
}

TEST(GridSummary, SaysWhenTheTimeToGoIsNotKnown) {
  Json unknown = grid(1, states(80, 2, 45), 127);
  unknown["seconds_left"] = nullptr;
  EXPECT_THAT(grid_summary(unknown, 3), HasSubstr("time to go not known yet"));
}

TEST(GridSummary, SaysFailuresAndNoTimeToGoAtTheEnd) {
  Json ended = grid(1, states(0, 0, 45, 2, 3), 50);
  ended["state"] = "failed";
  const std::string text = grid_summary(ended, 60);
  EXPECT_THAT(text, HasSubstr("2 failed · 3 blocked"));
  EXPECT_THAT(text, Not(HasSubstr("to go")));
}

TEST(GridSummary, SaysThatItIsPaused) {
  Json paused = grid(1, states(80, 2, 45), 127);
  paused["state"] = "paused";
  EXPECT_EQ(grid_summary(paused, 725), "45 of 127 tasks · 4 of 15 cells · 12 min · paused");
}

TEST(RunningLine, HoldsStepLossRateAndTime) {
  EXPECT_EQ(running_line(attempt("train deit · none", 1)),
            "train deit · none  120/1000  loss 1.893  410 images/s  about 3 min 00 s to go");
}

TEST(RunningLine, DoesWithoutWhatIsNotKnownYet) {
  EXPECT_EQ(running_line({{"title", "label train"},
                          {"step", 0},
                          {"total_steps", 0},
                          {"activity", "loading"},
                          {"seconds_left", nullptr},
                          {"metrics", Json::object()}}),
            "label train  loading");
}

TEST(ProgressBlock, IsNeverWiderThanTheTerminal) {
  const std::string title(300, 'x');
  const Json status = status_of(Json::array({grid(1, states(80, 2, 45), 127)}),
                                Json::array({attempt(title.c_str(), 1)}));
  for (const size_t width : {20, 40, 80, 200}) {
    for (const std::string& line : progress_block(status, 1, 725, width, 8, false)) {
      EXPECT_LT(display_width(line), width) << line;
    }
  }
}

TEST(ProgressBlock, ShowsOnlyTheGridAndCountsWhatDoesNotFit) {
  Json running = Json::array();
  for (int i = 0; i < 6; ++i) running.push_back(attempt("mine", 1));
  running.push_back(attempt("other", 2));
  const Json status =
      status_of(Json::array({grid(2, states(1, 1, 1), 3), grid(1, states(1, 6, 1), 8)}), running);
  const auto lines = progress_block(status, 1, 10, 100, 5, false);
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_THAT(lines[0], HasSubstr("1 of 8 tasks"));
  EXPECT_THAT(lines[1], HasSubstr("mine"));
  EXPECT_THAT(lines[4], HasSubstr("and 3 more"));
  for (const std::string& line : lines) EXPECT_THAT(line, Not(HasSubstr("other")));
}

TEST(ProgressBlock, ColoursOnlyWhenAsked) {
  const Json status = status_of(Json::array({grid(1, states(1, 1, 1), 3)}), Json::array());
  EXPECT_THAT(progress_block(status, 1, 1, 80, 8, false)[0], Not(HasSubstr("\x1b")));
  EXPECT_THAT(progress_block(status, 1, 1, 80, 8, true)[0], HasSubstr("\x1b[32m"));
}

TEST(AllEnded, WaitsForWhatRunsOrIsPaused) {
  const auto of = [](std::vector<const char*> states) {
    Json grids = Json::array();
    for (const char* state : states) grids.push_back({{"state", state}});
    return all_ended({{"grids", grids}});
  };
  EXPECT_FALSE(of({}));
  EXPECT_FALSE(of({"done", "running"}));
  EXPECT_FALSE(of({"done", "paused"}));
  EXPECT_TRUE(of({"done", "failed", "cancelled"}));
}

TEST(NewEvents, ReportsEachEndingOnceAndOldestFirst) {
  Json status = status_of(Json::array(), Json::array());
  status["finished"] = Json::array({event("a", "2026-01-01T00:00:00Z")});
  NewEvents news(status, 1);
  EXPECT_TRUE(news.next(status).finished.empty());
  status["finished"] = {event("c", "2026-01-01T00:00:02Z"), event("b", "2026-01-01T00:00:01Z"),
                        event("a", "2026-01-01T00:00:00Z"), event("z", "2026-01-01T00:00:01Z", 2)};
  const auto events = news.next(status);
  ASSERT_EQ(events.finished.size(), 2u);
  EXPECT_EQ(events.finished[0]["task_id"], "b");
  EXPECT_EQ(events.finished[1]["task_id"], "c");
  EXPECT_TRUE(news.next(status).finished.empty());
}

TEST(NewEvents, ReportsASecondFailureOfATask) {
  Json status = status_of(Json::array(), Json::array());
  status["failures"] = Json::array({event("a", "2026-01-01T00:00:00Z")});
  NewEvents news(status, 1);
  status["failures"] = Json::array({event("a", "2026-01-01T00:09:00Z")});
  EXPECT_EQ(news.next(status).failed.size(), 1u);
}

TEST(EventLines, NameFiguresReasonAndLog) {
  Json done = event("evaluate deit on mixed_rand", "");
  done["seconds"] = 8.2;
  done["figures"] = {{{"weights", "raw"}, {"metric", "top1"}, {"value", 64.249}},
                     {{"weights", "ema"}, {"metric", "top1"}, {"value", 99.9}}};
  EXPECT_EQ(finished_line(done), "done    evaluate deit on mixed_rand in 8 s  top1 64.2 %");
  Json failed = event("train deit", "");
  failed["reason"] = "the loss is NaN at step 7";
  failed["log"] = "runs/ab/1/log.txt";
  EXPECT_EQ(failed_line(failed, "ws"),
            "failed  train deit: the loss is NaN at step 7 (log: ws/runs/ab/1/log.txt)");
}

}  // namespace
}  // namespace remixer::coordinator::command
