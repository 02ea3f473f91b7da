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

answers::TaskCounts states(int64_t waiting, int64_t running, int64_t done, int64_t failed = 0,
                           int64_t blocked = 0) {
  return {waiting, 0, running, done, failed, blocked, 0};
}

answers::Grid grid(int64_t id, const answers::TaskCounts& states, int64_t tasks) {
  answers::Grid made;
  made.id = id;
  made.name = "quickstart";
  made.state = "running";
  made.cells = 15;
  made.cells_done = 4;
  made.tasks = tasks;
  made.states = states;
  made.fraction = 0.5;
  made.seconds_left = 1205;
  return made;
}

answers::Running attempt(const char* title, int64_t grid_id) {
  answers::Running made;
  made.title = title;
  made.step = 120;
  made.total_steps = 1000;
  made.activity = "training";
  made.seconds_left = 170;
  made.metrics = {{"loss", 1.8934}, {"images_per_second", 409.7}};
  made.grids = {grid_id};
  return made;
}

template <typename Event>
Event event(const char* id, const char* ended_at, int64_t grid_id = 1) {
  Event made;
  made.task_id = made.title = id;
  made.ended_at = ended_at;
  made.grids = {grid_id};
  return made;
}

answers::Status status_of(std::vector<answers::Grid> grids, std::vector<answers::Running> running) {
  answers::Status made;
  made.grids = std::move(grids);
  made.running = std::move(running);
  return made;
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
  answers::Grid unknown = grid(1, states(80, 2, 45), 127);
  unknown.seconds_left.reset();
  EXPECT_THAT(grid_summary(unknown, 3), HasSubstr("time to go not known yet"));
}

TEST(GridSummary, SaysFailuresAndNoTimeToGoAtTheEnd) {
  answers::Grid ended = grid(1, states(0, 0, 45, 2, 3), 50);
  ended.state = "failed";
  const std::string text = grid_summary(ended, 60);
  EXPECT_THAT(text, HasSubstr("2 failed · 3 blocked"));
  EXPECT_THAT(text, Not(HasSubstr("to go")));
}

TEST(GridSummary, SaysThatItIsPaused) {
  answers::Grid paused = grid(1, states(80, 2, 45), 127);
  paused.state = "paused";
  EXPECT_EQ(grid_summary(paused, 725), "45 of 127 tasks · 4 of 15 cells · 12 min · paused");
}

TEST(RunningLine, HoldsStepLossRateAndTime) {
  EXPECT_EQ(running_line(attempt("train deit · none", 1)),
            "train deit · none  120/1000  loss 1.893  410 images/s  about 3 min 00 s to go");
}

TEST(RunningLine, DoesWithoutWhatIsNotKnownYet) {
  answers::Running young;
  young.title = "label train";
  young.activity = "loading";
  young.metrics = {{"loss", std::nullopt}};
  EXPECT_EQ(running_line(young), "label train  loading");
}

TEST(ProgressBlock, IsNeverWiderThanTheTerminal) {
  const std::string title(300, 'x');
  const answers::Status status =
      status_of({grid(1, states(80, 2, 45), 127)}, {attempt(title.c_str(), 1)});
  for (const size_t width : {20, 40, 80, 200}) {
    for (const std::string& line : progress_block(status, 1, 725, width, 8, false)) {
      EXPECT_LT(display_width(line), width) << line;
    }
  }
}

TEST(ProgressBlock, ShowsOnlyTheGridAndCountsWhatDoesNotFit) {
  std::vector<answers::Running> running;
  for (int i = 0; i < 6; ++i) running.push_back(attempt("mine", 1));
  running.push_back(attempt("other", 2));
  const answers::Status status =
      status_of({grid(2, states(1, 1, 1), 3), grid(1, states(1, 6, 1), 8)}, running);
  const auto lines = progress_block(status, 1, 10, 100, 5, false);
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_THAT(lines[0], HasSubstr("1 of 8 tasks"));
  EXPECT_THAT(lines[1], HasSubstr("mine"));
  EXPECT_THAT(lines[4], HasSubstr("and 3 more"));
  for (const std::string& line : lines) EXPECT_THAT(line, Not(HasSubstr("other")));
}

TEST(ProgressBlock, ColoursOnlyWhenAsked) {
  const answers::Status status = status_of({grid(1, states(1, 1, 1), 3)}, {});
  EXPECT_THAT(progress_block(status, 1, 1, 80, 8, false)[0], Not(HasSubstr("\x1b")));
  EXPECT_THAT(progress_block(status, 1, 1, 80, 8, true)[0], HasSubstr("\x1b[32m"));
}

TEST(AllEnded, WaitsForWhatRunsOrIsPaused) {
  const auto of = [](std::vector<const char*> states) {
    answers::Status status;
    for (const char* state : states) status.grids.emplace_back().state = state;
    return all_ended(status);
  };
  EXPECT_FALSE(of({}));
  EXPECT_FALSE(of({"done", "running"}));
  EXPECT_FALSE(of({"done", "paused"}));
  EXPECT_TRUE(of({"done", "failed", "cancelled"}));
}

TEST(NewEvents, ReportsEachEndingOnceAndOldestFirst) {
  const auto done = event<answers::FinishedTask>;
  answers::Status status;
  status.finished = {done("a", "2026-01-01T00:00:00Z", 1)};
  NewEvents news(status, 1);
  EXPECT_TRUE(news.next(status).finished.empty());
  status.finished = {done("c", "2026-01-01T00:00:02Z", 1), done("b", "2026-01-01T00:00:01Z", 1),
                     done("a", "2026-01-01T00:00:00Z", 1), done("z", "2026-01-01T00:00:01Z", 2)};
  const auto events = news.next(status);
  ASSERT_EQ(events.finished.size(), 2u);
  EXPECT_EQ(events.finished[0].task_id, "b");
  EXPECT_EQ(events.finished[1].task_id, "c");
  EXPECT_TRUE(news.next(status).finished.empty());
}

TEST(NewEvents, ReportsASecondFailureOfATask) {
  answers::Status status;
  status.failures = {event<answers::FailedTask>("a", "2026-01-01T00:00:00Z")};
  NewEvents news(status, 1);
  status.failures = {event<answers::FailedTask>("a", "2026-01-01T00:09:00Z")};
  EXPECT_EQ(news.next(status).failed.size(), 1u);
}

TEST(EventLines, NameFiguresReasonAndLog) {
  auto done = event<answers::FinishedTask>("evaluate deit on mixed_rand", "");
  done.seconds = 8.2;
  done.figures = {{"raw", "mixed_rand", "top1", 64.249, 100},
                  {"ema", "mixed_rand", "top1", 99.9, 100}};
  EXPECT_EQ(finished_line(done), "done    evaluate deit on mixed_rand in 8 s  top1 64.2 %");
  auto failed = event<answers::FailedTask>("train deit", "");
  failed.reason = "the loss is NaN at step 7";
  failed.log = "runs/ab/1/log.txt";
  EXPECT_EQ(failed_line(failed, "ws"),
            "failed  train deit: the loss is NaN at step 7 (log: ws/runs/ab/1/log.txt)");
}

}  // namespace
}  // namespace remixer::coordinator::command
