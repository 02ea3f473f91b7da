// SPDX-License-Identifier: Apache-2.0
// Who is given what: priorities, fair share, limits, gangs, remaining time, suspects; and what the
// owner is told.
#include "coordinator/scheduler/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/coordinator/support.h"

namespace remixer::coordinator {
namespace {

using namespace testing;
using protocol::Assignment;
using protocol::ClaimReply;
using protocol::Ending;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PlacementTest : public ::testing::Test {
 protected:
  template <typename T>
  T ask(const Event& event) {
    tell(event);
    return std::get<T>(effects.reply);
  }
  void tell(const Event& event) {
    effects = step(state, event, now, settings);
    for (const Write& write : effects.writes) {
      if (const auto* put = std::get_if<PutNotice>(&write)) notices.push_back(put->event);
    }
  }
  std::string join(protocol::RegisterWorker worker) {
    return ask<protocol::WorkerRegistered>(RegisterEvent{worker}).worker_id;
  }
  std::string join(int64_t pid, const std::string& host = "one") {
    return join(make_worker(pid, host));
  }
  int64_t submit(const protocol::SubmitGrid& grid) {
    return ask<protocol::GridSubmitted>(SubmitEvent(grid)).grid_id;
  }
  std::optional<Assignment> claim(const std::string& worker) {
    return ask<ClaimReply>(ClaimEvent{worker}).assignment;
  }
  bool finish(const Assignment& assignment, Ending ending = Ending::kDone) {
    return ask<protocol::ResultReply>(ResultEvent{result_of(assignment, ending)}).accepted;
  }
  // Claims and finishes until nothing is left; the titles in order.
  std::vector<std::string> work(const std::string& worker, size_t most = 100) {
    std::vector<std::string> titles;
    while (titles.size() < most) {
      const auto assignment = claim(worker);
      if (!assignment) break;
      titles.push_back(assignment->task.title);
      finish(*assignment);
    }
    return titles;
  }
  void pass(double seconds) {
    now.monotonic += seconds;
    now.wall += seconds;
    tell(TickEvent{});
  }
  std::string why(const std::string& id) {
    return why_ready_waits(state, state.task(id), now, settings);
  }
  void configure(int64_t grid, GridSettings wanted) { tell(ConfigureGridEvent{grid, wanted}); }

  State state;
  Settings settings;
  Now now{1000, 1.8e9};
  Effects effects;
  std::vector<std::string> notices;
};

TEST_F(PlacementTest, GridsTakeTurnsAndPrioritiesComeFirst) {
  const std::string worker = join(1);
  const int64_t a = submit(make_grid("a", {1, 2}));
  submit(make_grid("b", {3, 4}));
  ASSERT_EQ(work(worker, 1).size(), 1u);  // the dataset of both
  const auto turns = work(worker, 4);
  EXPECT_NE(turns[0].find("train 1") == 0, turns[1].find("train 1") == 0);
  EXPECT_NE(turns[0].find("train 3") == 0, turns[1].find("train 3") == 0);
  configure(a, {5, 0, 0, 0});
  for (const std::string& title : work(worker, 3)) {
    EXPECT_TRUE(title.find('1') != std::string::npos || title.find('2') != std::string::npos)
        << title;
  }
}

TEST_F(PlacementTest, FewerRunningTasksMakeTheShareFair) {
  submit(make_grid("a", {1, 2, 3, 4}));
  submit(make_grid("b", {5}));
  work(join(1), 1);
  std::map<char, int> running;
  for (int64_t i = 2; i < 4; ++i) {
    const auto given = claim(join(i));
    ASSERT_TRUE(given);
    ++running[given->task.title.back() == '5' ? 'b' : 'a'];
  }
  EXPECT_EQ(running['a'], 1);
  EXPECT_EQ(running['b'], 1);
}

TEST_F(PlacementTest, NoMoreThanAGridsLimitRun) {
  const auto grid = make_grid("a", {1, 2, 3});
  const int64_t id = submit(grid);
  work(join(1), 1);
  configure(id, {0, 2, 0, 0});
  const auto first = claim(join(2));
  ASSERT_TRUE(first && claim(join(3)));
  EXPECT_FALSE(claim(join(4)));
  EXPECT_THAT(why(grid.tasks[7].id()), HasSubstr("2 tasks running, as many as it may"));
  finish(*first);
  EXPECT_TRUE(claim(join(4)));
}

TEST_F(PlacementTest, PausedGridsGiveNothingOutAndMayStopWhatRuns) {
  const auto grid = make_grid("a", {1});
  const int64_t id = submit(grid);
  const std::string worker = join(1);
  const auto running = *claim(worker);
  tell(PauseGridEvent{id, Pause::kAfterRunning});
  EXPECT_EQ(ask<protocol::HeartbeatReply>(HeartbeatEvent{heartbeat_of(running, 1)}).order,
            protocol::Order::kContinue);
  tell(PauseGridEvent{id, Pause::kNow});
  EXPECT_EQ(ask<protocol::HeartbeatReply>(HeartbeatEvent{heartbeat_of(running, 2)}).order,
            protocol::Order::kStop);
  finish(running, Ending::kReleased);
  EXPECT_FALSE(claim(worker));
  EXPECT_THAT(why(grid.tasks[0].id()), HasSubstr("paused"));
  // What another grid wants as well goes on.
  submit(make_grid("b", {1, 2}));
  EXPECT_TRUE(claim(worker));
  tell(PauseGridEvent{id, Pause::kNone});
  EXPECT_EQ(state.grid(id).paused, Pause::kNone);
}

TEST_F(PlacementTest, TrainingWaitsForAGangThatIsLargeEnough) {
  const auto grid = make_grid("a", {1});
  const int64_t id = submit(grid);
  configure(id, {0, 0, 4, 2});
  auto large = make_worker(1);
  large.ranks = 4;
  large.gpus = 2;
  const std::string small = join(2);
  EXPECT_EQ(work(small).size(), 1u) << "the dataset needs no gang";
  EXPECT_THAT(why(grid.tasks[1].id()), HasSubstr("wants a worker of 4 ranks and 2 GPUs"));
  EXPECT_EQ(work(join(large), 1), std::vector<std::string>{"train 1"});
  EXPECT_EQ(work(small).size(), 2u);
}

TEST_F(PlacementTest, WhatDoesNotFitIntoAWorkersTimeIsNotStarted) {
  const auto grid = make_grid("a", {1, 2});
  submit(grid);
  auto brief = make_worker(1);
  brief.ends_at = now.wall + 90;
  const std::string worker = join(brief), other = join(2);
  finish(*claim(worker));  // nothing is known yet: it is tried
  const auto train = *claim(other);
  for (int i = 0; i < 40; ++i) {
    tell(HeartbeatEvent{heartbeat_of(train, i)});
    pass(10);
  }
  finish(train);
  const auto evaluate = *claim(other);
  for (int i = 0; i < 6; ++i) {
    tell(HeartbeatEvent{heartbeat_of(evaluate, i)});
    pass(10);
  }
  finish(evaluate);
  brief.pid = 3;
  brief.ends_at = now.wall + 50;  // an evaluation takes 60
  const std::string late = join(brief);
  EXPECT_FALSE(claim(late));
  tell(WorkerGoneEvent{other});
  EXPECT_THAT(why(grid.tasks[3].id()), HasSubstr("so much of its time left"));
  // Training takes 400 s, but goes on elsewhere from its checkpoint.
  brief.pid = 4;
  brief.ends_at = now.wall + 200;
  EXPECT_TRUE(claim(join(brief)));
}

// Labels that were made in several attempts took as long as all of them together, but the next
// worker goes on where the last one was.
TEST_F(PlacementTest, LongLabellingIsStartedInAShortAllocation) {
  const auto label = [](int64_t version) {
    protocol::SubmitGrid grid;
    grid.name = fmt::format("labels {}", version);
    grid.tasks.push_back(make_task(
        TaskKind::kLabel, spec_json(experiments::LabelSpec{{{"x", version}}, "train", {{"bbox"}}}),
        grid.name));
    return grid;
  };
  submit(label(1));
  for (int64_t attempt = 1; attempt <= 3; ++attempt) {
    const std::string worker = join(attempt);
    const auto assignment = *claim(worker);
    for (int64_t i = 0; i < 40; ++i) {
      tell(HeartbeatEvent{heartbeat_of(assignment, 40 * attempt + i)});
      pass(10);
    }
    if (attempt == 3) {
      finish(assignment);
    } else {
      finish(assignment, Ending::kReleased);
    }
  }
  submit(label(2));
  auto brief = make_worker(9);
  brief.ends_at = now.wall + 300;  // the first ones took 1200 s
  EXPECT_TRUE(claim(join(brief)));
}

// What begins anew takes as long as one attempt, not as all of them.
TEST_F(PlacementTest, AttemptsThatWereLostDoNotMakeATaskLong) {
  const auto grid = make_grid("a", {1, 2});
  submit(grid);
  const std::string worker = join(1);
  work(worker, 2);  // the data set and a training
  for (int i = 0; i < 3; ++i) {
    const auto assignment = *claim(worker);
    ASSERT_EQ(assignment.task.kind, TaskKind::kEvaluate);
    for (int k = 0; k < 10; ++k) {
      tell(HeartbeatEvent{heartbeat_of(assignment, k)});
      pass(10);
    }
    finish(assignment, i < 2 ? Ending::kReleased : Ending::kDone);
  }
  auto brief = make_worker(2);
  brief.ends_at = now.wall + 150;  // one takes 100 s, the three took 300
  const auto next = claim(join(brief));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->task.kind, TaskKind::kEvaluate);
}

TEST_F(PlacementTest, LostWorkersMeanAPauseAndProgressClearsTheSuspicion) {
  const auto grid = make_grid("a", {1});
  submit(grid);
  for (int64_t i = 1; i <= 12; ++i) {
    const std::string worker = join(i, "host" + std::to_string(i));
    const auto assignment = claim(worker);
    ASSERT_TRUE(assignment) << i;
    tell(HeartbeatEvent{heartbeat_of(*assignment, 5 * i)});  // further each time
    tell(WorkerGoneEvent{worker});
  }
  EXPECT_EQ(state.task(grid.tasks[0].id()).state, TaskState::kReady);
  EXPECT_EQ(state.task(grid.tasks[0].id()).crashes, 1);
}

TEST_F(PlacementTest, PreemptionIsNotCounted) {
  const auto grid = make_grid("a", {1});
  submit(grid);
  for (int64_t i = 1; i <= 12; ++i) {
    const std::string worker = join(i);
    ASSERT_TRUE(claim(worker)) << i;
    tell(WorkerGoneEvent{worker, "was preempted", false});
  }
  EXPECT_EQ(state.task(grid.tasks[0].id()).crashes, 0);
}

// One task of three kills its host's workers; the others are innocent.
TEST_F(PlacementTest, ThePoisonousTaskIsFoundByRunningSuspectsAlone) {
  const auto grid = make_grid("a", {1, 2, 3});
  submit(grid);
  work(join(1), 1);
  int64_t pid = 10;
  for (int round = 0; round < 200; ++round) {
    pass(20);
    std::vector<std::pair<std::string, Assignment>> running;
    for (int i = 0; i < 2; ++i) {
      const std::string worker = join(++pid);
      if (const auto given = claim(worker)) running.emplace_back(worker, *given);
    }
    const bool poisoned = std::any_of(running.begin(), running.end(), [](const auto& each) {
      return each.second.task.title == "train 2";
    });
    for (const auto& [worker, assignment] : running) {
      if (poisoned) {
        tell(WorkerGoneEvent{worker});
      } else {
        finish(assignment);
      }
    }
  }
  for (const auto& [id, entry] : state.tasks) {
    const bool poison = entry.title.find('2') != std::string::npos;
    EXPECT_EQ(entry.state, !poison                    ? TaskState::kDone
                           : entry.title == "train 2" ? TaskState::kFailed
                                                      : TaskState::kBlocked)
        << entry.title;
  }
}

TEST_F(PlacementTest, ClaimWithAResultIsOneRequest) {
  submit(make_grid("a", {1}));
  const std::string worker = join(1);
  auto assignment = claim(worker);
  int requests = 0;
  while (assignment) {
    const auto reply = ask<ClaimReply>(ClaimEvent{worker, result_of(*assignment)});
    ASSERT_TRUE(reply.result && reply.result->accepted);
    assignment = reply.assignment;
    ++requests;
  }
  EXPECT_EQ(requests, 4);
}

TEST_F(PlacementTest, OwnerIsToldOfTheFirstFailureAndOfTheEnd) {
  const auto grid = make_grid("a", {1, 2});
  submit(grid);
  const std::string worker = join(1);
  work(worker, 1);
  finish(*claim(worker), Ending::kBadInput);
  EXPECT_THAT(notices, ElementsAre("attention"));
  work(worker);
  EXPECT_THAT(notices, ElementsAre("attention", "failed"));
  submit(grid);
  work(worker);
  EXPECT_THAT(notices, ElementsAre("attention", "failed", "done"));
  submit(grid);
  EXPECT_EQ(notices.size(), 3u) << "nothing was to be done";
}

TEST_F(PlacementTest, WhatIsRemovedRunsAgainWhenItIsSubmitted) {
  const auto grid = make_grid("a", {1});
  const int64_t id = submit(grid);
  const std::string worker = join(1);
  const auto prepare = *claim(worker);
  EXPECT_THROW(tell(RemoveTaskEvent{prepare.task_id}), Conflict);
  finish(prepare);
  work(worker);
  EXPECT_EQ(ask<CountReply>(RemoveTaskEvent{grid.tasks[1].id()}).tasks, 3) << "with evaluations";
  EXPECT_EQ(effects.removed.size(), 3u);
  const std::vector<std::string> removed = effects.removed;
  EXPECT_EQ(ask<protocol::GridSubmitted>(SubmitEvent(grid)).tasks_queued, 3);
  EXPECT_FALSE(claim(worker)) << "its old files are being deleted";
  for (const std::string& each : removed) tell(ClearingEvent{each, -1});
  const auto again = claim(worker);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->attempt, 2) << "the first attempt's folder is never used again";
  finish(*again);
  work(worker);
  submit(make_grid("b", {2}));
  EXPECT_EQ(ask<CountReply>(RemoveGridEvent{id}).tasks, 3) << "grid b holds the dataset";
  EXPECT_THROW(state.grid(id), NotFound);
  EXPECT_EQ(state.task(grid.tasks[0].id()).state, TaskState::kDone);
  EXPECT_GT(submit(grid), id) << "a grid's number is not given out again";
}

// A worker may write into its folder until its lease is over.
TEST_F(PlacementTest, NothingIsRemovedUnderAWorkersHands) {
  const auto grid = make_grid("a", {1});
  submit(grid);
  claim(join(1));
  tell(CancelTaskEvent{grid.tasks[0].id()});
  EXPECT_THROW(tell(RemoveTaskEvent{grid.tasks[0].id()}), Conflict);
  pass(settings.lease_seconds + 1);
  EXPECT_NO_THROW(tell(RemoveTaskEvent{grid.tasks[0].id()}));
}

}  // namespace
}  // namespace remixer::coordinator
