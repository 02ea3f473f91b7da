// SPDX-License-Identifier: Apache-2.0
// The scheduler's promises, one by one.
#include <gtest/gtest.h>

#include "tests/coordinator/support.h"

namespace remixer::coordinator {
namespace {

using namespace testing;
using protocol::Assignment;
using protocol::ClaimReply;
using protocol::Ending;
using protocol::GridSubmitted;
using protocol::Order;

class SchedulerTest : public ::testing::Test {
 protected:
  template <typename T>
  T ask(const Event& event) {
    tell(event);
    return std::get<T>(effects.reply);
  }
  void tell(const Event& event) {
    effects = step(state, event, now, settings);
    for (const Write& write : effects.writes) {
      if (const auto* put = std::get_if<PutResult>(&write)) results[put->task] = put->result;
      if (const auto* put = std::get_if<PutNotice>(&write)) notices.push_back(put->event);
    }
  }
  Json result(const std::string& id) { return Json::parse(results.at(state.task(id).number)); }

  std::string join(int64_t pid) {
    return ask<protocol::WorkerRegistered>(RegisterEvent{make_worker(pid)}).worker_id;
  }
  GridSubmitted submit(const protocol::SubmitGrid& grid, std::set<std::string> missing = {}) {
    return ask<GridSubmitted>(SubmitEvent(grid, std::move(missing)));
  }
  std::optional<Assignment> claim(const std::string& worker) {
    return ask<ClaimReply>(ClaimEvent{worker}).assignment;
  }
  Order beat(const Assignment& assignment, int64_t at) {
    return ask<protocol::HeartbeatReply>(HeartbeatEvent{heartbeat_of(assignment, at)}).order;
  }
  bool finish(const Assignment& assignment, Ending ending = Ending::kDone) {
    return ask<protocol::ResultReply>(ResultEvent{result_of(assignment, ending)}).accepted;
  }
  void pass(double seconds) {
    now.monotonic += seconds;
    now.wall += seconds;
    tell(TickEvent{});
  }
  TaskState state_of(const std::string& id) { return state.task(id).state; }

  State state;
  std::map<int64_t, std::string> results;
  std::vector<std::string> notices;
  Settings settings;
  Now now{1000, 1.8e9};
  Effects effects;
};

TEST_F(SchedulerTest, HandsTasksOutInGridOrderOnceDependenciesAreDone) {
  const auto grid = make_grid("g", {1, 2});
  submit(grid);
  const std::string worker = join(1);
  std::vector<std::string> titles;
  while (const auto assignment = claim(worker)) {
    titles.push_back(assignment->task.title);
    ASSERT_TRUE(finish(*assignment));
  }
  const std::vector<std::string> expected = {
      "prepare fashion",          "train 1", "evaluate 1 on original",
      "evaluate 1 on mixed_rand", "train 2", "evaluate 2 on original",
      "evaluate 2 on mixed_rand"};
  EXPECT_EQ(titles, expected);
}

TEST_F(SchedulerTest, AssignmentNamesItsInputsAndItsFolder) {
  const auto grid = make_grid("g", {1});
  submit(grid);
  const std::string worker = join(1);
  finish(*claim(worker));
  const auto train = claim(worker);
  ASSERT_TRUE(train && train->inputs.size() == 1);
  EXPECT_EQ(train->inputs[0].kind, TaskKind::kPrepare);
  EXPECT_EQ(train->inputs[0].task_id, grid.tasks[0].id());
  EXPECT_EQ(train->task.cell_id, make_cell(1).id());
  EXPECT_EQ(train->folder, "runs/" + train->task_id + "/1");
}

TEST_F(SchedulerTest, SubmitIsASetDifference) {
  const std::string worker = join(1);
  auto reply = submit(make_grid("one", {1}));
  EXPECT_EQ(reply.tasks_queued, 4);
  EXPECT_EQ(reply.cells_done, 0);
  while (const auto assignment = claim(worker)) finish(*assignment);

  reply = submit(make_grid("two", {1, 2}));
  EXPECT_EQ(reply.tasks_reused, 4);
  EXPECT_EQ(reply.tasks_queued, 3);
  EXPECT_EQ(reply.cells_done, 1);

  const int64_t id = reply.grid_id;
  reply = submit(make_grid("two", {1, 2}));
  EXPECT_EQ(reply.grid_id, id);
  EXPECT_EQ(reply.tasks_underway, 3);
  EXPECT_EQ(reply.tasks_queued, 0);
}

// Databases of earlier versions hold keys: they stay as they were.
TEST_F(SchedulerTest, AGridsKeyIsTheHashOfItsNameCellsAndTasks) {
  for (const char* name : {"one", "with \"quotes\", \n and \u00e9"}) {
    for (const std::vector<int64_t>& seeds : {std::vector<int64_t>{}, {1}, {1, 2, 3}}) {
      const auto grid = make_grid(name, seeds);
      std::vector<std::string> cells, tasks;
      for (const auto& cell : grid.cells) cells.push_back(cell.id());
      for (const auto& task : grid.tasks) tasks.push_back(task.id());
      const int64_t id = submit(grid).grid_id;
      EXPECT_EQ(state.grid(id).key,
                content_id({{"name", grid.name}, {"cells", cells}, {"tasks", tasks}}))
          << name;
    }
  }
}

TEST_F(SchedulerTest, TasksWhoseFilesAreGoneRunAgain) {
  const auto grid = make_grid("g", {1});
  submit(grid);
  const std::string worker = join(1);
  while (const auto assignment = claim(worker)) finish(*assignment);
  const auto reply = submit(grid, {grid.tasks[1].id()});
  EXPECT_EQ(reply.tasks_queued, 1);
  EXPECT_EQ(reply.tasks_reused, 3);
  const auto again = claim(worker);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->task.title, "train 1");
  EXPECT_EQ(again->attempt, 2);
  EXPECT_EQ(again->previous, std::vector<std::string>{"runs/" + again->task_id + "/1"});
  finish(*again);
  EXPECT_FALSE(claim(worker));
}

TEST_F(SchedulerTest, RefusesAGridWithAHole) {
  auto grid = make_grid("g", {1});
  grid.tasks.erase(grid.tasks.begin());
  EXPECT_THROW(submit(grid), InputError);
  EXPECT_TRUE(state.tasks.empty());
  EXPECT_TRUE(state.grids.empty());
}

TEST_F(SchedulerTest, LeaseEndsWithoutHeartbeatsAndTheTaskIsGivenOutAgain) {
  submit(make_grid("g", {1}));
  const std::string a = join(1), b = join(2);
  const auto first = *claim(a);
  pass(settings.lease_seconds - 1);
  EXPECT_FALSE(claim(b));
  EXPECT_EQ(beat(first, 1), Order::kContinue);
  pass(settings.lease_seconds - 1);
  EXPECT_FALSE(claim(b)) << "the heartbeat renewed the lease";
  pass(2);
  const auto second = claim(b);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->task_id, first.task_id);
  EXPECT_EQ(second->attempt, 2);
  EXPECT_GT(second->fence, first.fence);
  EXPECT_EQ(beat(first, 5), Order::kAbandon);
  EXPECT_FALSE(finish(first));
  EXPECT_TRUE(finish(*second));
  EXPECT_EQ(result(first.task_id), (Json{{"attempt", 2}}));
}

TEST_F(SchedulerTest, LateReportCountsWhileNoNewerAttemptWasGivenOut) {
  submit(make_grid("g", {1, 2}));
  const auto first = *claim(join(1));
  pass(settings.lease_seconds + 1);
  EXPECT_EQ(state_of(first.task_id), TaskState::kReady);
  EXPECT_EQ(beat(first, 9), Order::kContinue);
  EXPECT_EQ(state_of(first.task_id), TaskState::kRunning);
  EXPECT_EQ(state.task(first.task_id).crashes, 0);
  pass(settings.lease_seconds + 1);
  EXPECT_TRUE(finish(first));
  EXPECT_EQ(state_of(first.task_id), TaskState::kDone);
}

TEST_F(SchedulerTest, ResultIsCommittedOnceAndARepeatedReportIsAcknowledged) {
  submit(make_grid("g", {1}));
  const auto assignment = *claim(join(1));
  EXPECT_TRUE(finish(assignment));
  EXPECT_FALSE(effects.writes.empty());
  auto second = result_of(assignment);
  second.result = {{"attempt", "another"}};
  EXPECT_TRUE(ask<protocol::ResultReply>(ResultEvent{second}).accepted);
  EXPECT_TRUE(effects.writes.empty());
  EXPECT_EQ(result(assignment.task_id), (Json{{"attempt", 1}}));
  EXPECT_FALSE(finish(assignment, Ending::kFailed));
  EXPECT_EQ(state_of(assignment.task_id), TaskState::kDone);
}

TEST_F(SchedulerTest, WrongFenceChangesNothing) {
  submit(make_grid("g", {1}));
  auto assignment = *claim(join(1));
  ++assignment.fence;
  EXPECT_EQ(beat(assignment, 1), Order::kAbandon);
  EXPECT_FALSE(finish(assignment));
  EXPECT_TRUE(effects.writes.empty());
  EXPECT_EQ(state_of(assignment.task_id), TaskState::kRunning);
}

TEST_F(SchedulerTest, ClaimRepeatedGivesTheSameAttempt) {
  submit(make_grid("g", {1, 2}));
  const std::string worker = join(1);
  const auto first = *claim(worker);
  const auto again = *claim(worker);
  EXPECT_EQ(again.fence, first.fence);
  EXPECT_TRUE(effects.writes.empty());
}

TEST_F(SchedulerTest, FailuresAreRetriedWithPausesUpToTheLimit) {
  const auto grid = make_grid("g", {1});
  submit(grid);
  const std::string worker = join(1), id = grid.tasks[0].id();
  EXPECT_TRUE(finish(*claim(worker), Ending::kFailed));
  EXPECT_EQ(state_of(id), TaskState::kReady);
  EXPECT_FALSE(claim(worker)) << "back-off";
  pass(settings.backoff_seconds + 0.1);
  EXPECT_TRUE(finish(*claim(worker), Ending::kFailed));
  pass(settings.backoff_seconds + 0.1);
  EXPECT_FALSE(claim(worker)) << "the second pause is longer";
  pass(4 * settings.backoff_seconds);
  EXPECT_TRUE(finish(*claim(worker), Ending::kFailed));
  EXPECT_EQ(state_of(id), TaskState::kFailed);
  EXPECT_NE(state.task(id).reason.find("as the test wanted"), std::string::npos);
  EXPECT_EQ(state_of(grid.tasks[1].id()), TaskState::kBlocked);
  EXPECT_EQ(state_of(grid.tasks[3].id()), TaskState::kBlocked);
}

TEST_F(SchedulerTest, BadInputAndMemoryFailAtOnce) {
  for (const Ending ending : {Ending::kBadInput, Ending::kOutOfMemory}) {
    const auto grid = make_grid("g", {1});
    submit(grid);
    EXPECT_TRUE(finish(*claim(join(1)), ending));
    EXPECT_EQ(state_of(grid.tasks[0].id()), TaskState::kFailed);
  }
}

TEST_F(SchedulerTest, ReleasedIsGivenOutAgainWithoutLimit) {
  submit(make_grid("g", {1}));
  const std::string worker = join(1);
  for (int i = 1; i <= 20; ++i) {
    const auto assignment = claim(worker);
    ASSERT_TRUE(assignment);
    EXPECT_EQ(assignment->attempt, i);
    EXPECT_TRUE(finish(*assignment, Ending::kReleased));
  }
}

TEST_F(SchedulerTest, TaskThatKillsItsWorkersIsFailed) {
  const auto grid = make_grid("g", {1});
  submit(grid);
  for (int64_t i = 1; i <= settings.crash_limit; ++i) {
    const std::string worker = join(i);
    ASSERT_TRUE(claim(worker)) << i;
    tell(WorkerGoneEvent{worker});
    pass(settings.longest_backoff_seconds);
  }
  EXPECT_EQ(state_of(grid.tasks[0].id()), TaskState::kFailed);
  EXPECT_NE(state.task(grid.tasks[0].id()).reason.find("crash limit"), std::string::npos);
}

TEST_F(SchedulerTest, DeadWorkerOnThisHostFreesItsTaskAtOnce) {
  submit(make_grid("g", {1}));
  const std::string a = join(1), b = join(2);
  claim(a);
  EXPECT_FALSE(claim(b));
  tell(WorkerGoneEvent{a});
  EXPECT_TRUE(claim(b));
}

TEST_F(SchedulerTest, AttemptWithoutProgressIsEndedButNotReplacedWithinItsLease) {
  submit(make_grid("g", {1}));
  const std::string a = join(1), b = join(2);
  const auto first = *claim(a);
  for (double waited = 0; waited <= settings.stall_seconds; waited += 10) {
    beat(first, 3);
    pass(10);
  }
  EXPECT_EQ(beat(first, 4), Order::kAbandon);
  EXPECT_EQ(state.task(first.task_id).failures, 1);
  pass(settings.backoff_seconds + 1);
  EXPECT_FALSE(claim(b)) << "the stalled worker still believes in its lease";
  pass(settings.lease_seconds);
  EXPECT_TRUE(claim(b));
}

TEST_F(SchedulerTest, CancelledAttemptIsAbandonedAndItsTaskWaitsForTheLease) {
  const auto grid = make_grid("g", {1});
  submit(grid);
  const std::string worker = join(1), other = join(2);
  const auto first = *claim(worker);
  EXPECT_EQ(ask<CountReply>(CancelTaskEvent{first.task_id}).tasks, 1);
  EXPECT_EQ(ask<CountReply>(CancelTaskEvent{first.task_id}).tasks, 0);
  EXPECT_EQ(beat(first, 1), Order::kAbandon);
  EXPECT_FALSE(finish(first));
  EXPECT_EQ(state_of(grid.tasks[1].id()), TaskState::kBlocked);
  EXPECT_GE(ask<CountReply>(RetryTaskEvent{first.task_id, {}}).tasks, 1);
  EXPECT_EQ(state_of(grid.tasks[1].id()), TaskState::kWaiting);
  EXPECT_FALSE(claim(other));
  pass(settings.lease_seconds + 1);
  EXPECT_TRUE(claim(other));
}

TEST_F(SchedulerTest, CancellingAGridLeavesWhatAnotherNeeds) {
  const auto one = make_grid("one", {1}), two = make_grid("two", {2});
  const int64_t id = submit(one).grid_id;
  submit(two);
  EXPECT_EQ(ask<CountReply>(CancelGridEvent{id}).tasks, 3);
  EXPECT_EQ(state_of(one.tasks[0].id()), TaskState::kReady) << "shared with the other grid";
  EXPECT_EQ(state_of(one.tasks[1].id()), TaskState::kCancelled);
  EXPECT_EQ(submit(one).tasks_queued, 3);
  EXPECT_FALSE(state.grid(id).cancelled);
}

TEST_F(SchedulerTest, RetryOfABlockedTaskRetriesWhatBlocksIt) {
  const auto grid = make_grid("g", {1});
  submit(grid);
  finish(*claim(join(1)), Ending::kBadInput);
  EXPECT_GT(ask<CountReply>(RetryTaskEvent{grid.tasks[3].id(), {}}).tasks, 0);
  EXPECT_EQ(state_of(grid.tasks[0].id()), TaskState::kReady);
  EXPECT_EQ(state_of(grid.tasks[3].id()), TaskState::kWaiting);
}

TEST_F(SchedulerTest, ShutdownStopsWorkersAndGivesNothingOut) {
  submit(make_grid("g", {1}));
  const std::string a = join(1), b = join(2);
  const auto running = *claim(a);
  tell(ShutdownEvent{});
  EXPECT_TRUE(ask<ClaimReply>(ClaimEvent{b}).exit);
  EXPECT_EQ(beat(running, 1), Order::kStop);
  EXPECT_TRUE(finish(running, Ending::kReleased));
  const auto reply = ask<ClaimReply>(ClaimEvent{a});
  EXPECT_TRUE(reply.exit);
  EXPECT_FALSE(reply.assignment);
}

TEST_F(SchedulerTest, UnknownWorkerIsToldToRegister) {
  EXPECT_THROW(claim("w77"), NotFound);
  EXPECT_EQ(join(5), join(5)) << "the same process registers twice";
  EXPECT_NE(join(5), join(6));
}

}  // namespace
}  // namespace remixer::coordinator
