// SPDX-License-Identifier: Apache-2.0
// Unsuitable workers and sites without room: worked around, never counted against a task.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/scheduler/placement.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator {
namespace {

using namespace testing;
using protocol::Assignment;
using protocol::ClaimReply;
using protocol::Ending;
using ::testing::HasSubstr;

class SuitabilityTest : public ::testing::Test {
 protected:
  template <typename T>
  T ask(const Event& event) {
    return std::get<T>(step(state, event, now, settings).reply);
  }
  std::string join(protocol::RegisterWorker about) {
    return ask<protocol::WorkerRegistered>(RegisterEvent{std::move(about)}).worker_id;
  }
  std::optional<Assignment> claim(const std::string& worker) {
    return ask<ClaimReply>(ClaimEvent{worker}).assignment;
  }
  bool end(const std::string& worker, const Assignment& task, Ending ending = Ending::kDone) {
    auto result = result_of(task, ending);
    result.worker_id = worker;
    return ask<protocol::ResultReply>(ResultEvent{result}).accepted;
  }
  std::string why(const std::string& id) {
    return why_ready_waits(state, state.task(id), now, settings);
  }
  void pass(double seconds) {
    now.monotonic += seconds;
    now.wall += seconds;
    step(state, TickEvent{}, now, settings);
  }
  // The workers say that they are still there.
  void hear_all() {
    for (auto& [id, worker] : state.workers) worker.seen = now.monotonic;
  }

  State state;
  Settings settings;
  Now now{1000, 1.8e9};
};

TEST_F(SuitabilityTest, RanksThatDoNotDivideTheShardsAreNotGivenTraining) {
  const auto grid = make_grid("g", {1});  // 4 shards
  ask<protocol::GridSubmitted>(SubmitEvent(grid));
  auto about = make_worker(1);
  about.ranks = 3;
  const std::string three = join(about);
  end(three, claim(three).value());  // preparing needs no ranks
  EXPECT_FALSE(claim(three));
  EXPECT_THAT(why(grid.tasks[1].id()), HasSubstr("3 ranks do not divide the batch's 4 shards"));
  about = make_worker(2);
  about.ranks = 2;
  EXPECT_EQ(claim(join(about)).value().task_id, grid.tasks[1].id());
}

TEST_F(SuitabilityTest, Fp16IsNotGivenToACpu) {
  auto grid = make_grid("g", {});
  Cell cell = make_cell(1);
  cell.precision = "fp16";
  grid.cells = {cell};
  grid.tasks.push_back(make_task(TaskKind::kTrain, {{"cell", cell.identity()}}, "train",
                                 {grid.tasks[0].id()}, cell.id()));
  ask<protocol::GridSubmitted>(SubmitEvent(grid));
  const std::string cpu = join(make_worker(1));
  end(cpu, claim(cpu).value());
  EXPECT_FALSE(claim(cpu));
  EXPECT_THAT(why(grid.tasks[1].id()), HasSubstr("fp16 needs a GPU"));
  auto about = make_worker(2);
  about.device = "cuda:0";
  EXPECT_TRUE(claim(join(about)));
}

TEST_F(SuitabilityTest, LabelsAreMadeWhereTheNetworkIs) {
  protocol::SubmitGrid grid;
  grid.name = "g";
  grid.tasks.push_back(make_task(
      TaskKind::kLabel,
      spec_json(experiments::LabelSpec{{{"fashion-bg"}}, "train", {{"saliency"}}}), "label"));
  ask<protocol::GridSubmitted>(SubmitEvent(grid));
  auto about = make_worker(1);
  about.environment["weights"] = {"other.safetensors"};
  EXPECT_FALSE(claim(join(about)));
  EXPECT_THAT(why(grid.tasks[0].id()), HasSubstr("lacks u2netp.safetensors"));
  about = make_worker(2);
  about.environment["weights"] = {"u2netp.safetensors"};
  EXPECT_TRUE(claim(join(about)));
}

// Today three failures in one bad worker end a task, one after the other of the whole queue.
TEST_F(SuitabilityTest, WorkerThatFailsWhatOthersDoIsSetAside) {
  settings.backoff_seconds = 0;
  ask<protocol::GridSubmitted>(SubmitEvent(make_grid("g", {1, 2, 3, 4, 5, 6})));
  const std::string bad = join(make_worker(1, "bad")), good = join(make_worker(2, "good"));
  end(good, claim(good).value());
  for (int i = 0; i < 40; ++i) {
    pass(1);
    hear_all();
    for (int j = 0; j < 3; ++j) {
      if (const auto task = claim(bad)) {
        end(bad, *task, i % 2 == 0 ? Ending::kFailed : Ending::kBadInput);
      }
    }
    if (const auto task = claim(good)) end(good, *task);
  }
  EXPECT_EQ(state.grid(1).count(TaskState::kDone), 19);
  EXPECT_EQ(state.grid(1).count(TaskState::kFailed), 0);
  EXPECT_TRUE(set_aside(state.workers.at(bad), settings));
  EXPECT_FALSE(set_aside(state.workers.at(good), settings));
}

TEST_F(SuitabilityTest, BadInputIsBelievedOfASecondHostOrTheOnlyOne) {
  const auto grid = make_grid("g", {1});
  ask<protocol::GridSubmitted>(SubmitEvent(grid));
  const std::string one = join(make_worker(1, "a")), same = join(make_worker(2, "a"));
  end(one, claim(one).value());
  const std::string train = grid.tasks[1].id();
  end(one, claim(one).value(), Ending::kBadInput);
  EXPECT_EQ(state.task(train).state, TaskState::kFailed);
  const std::string other = join(make_worker(3, "b"));
  step(state, RetryTaskEvent{train, {}}, now, settings);
  end(one, claim(one).value(), Ending::kBadInput);
  EXPECT_EQ(state.task(train).state, TaskState::kReady);
  EXPECT_FALSE(claim(one)) << "another host is asked";
  end(other, claim(other).value(), Ending::kBadInput);
  EXPECT_EQ(state.task(train).state, TaskState::kFailed);
}

TEST_F(SuitabilityTest, NoRoomIsWaitedForAndCountedAgainstNobody) {
  const auto grid = make_grid("g", {1, 2});
  ask<protocol::GridSubmitted>(SubmitEvent(grid));
  const std::string one = join(make_worker(1)), two = join(make_worker(2));
  end(one, claim(one).value());
  const std::string train = grid.tasks[1].id();
  for (int i = 0; i < 10; ++i) {
    const auto task = claim(one);
    ASSERT_TRUE(task) << i;
    EXPECT_FALSE(i > 0 && claim(two)) << "one task tries, the others wait";
    end(one, *task, Ending::kNoSpace);
    EXPECT_FALSE(claim(one)) << "nothing is given out while there is no room";
    EXPECT_THAT(why(train), HasSubstr("room"));
    pass(settings.longest_no_space_seconds + 1);
    hear_all();
  }
  EXPECT_EQ(state.task(train).failures, 0);
  EXPECT_EQ(state.task(train).crashes, 0);
  end(one, claim(one).value());  // there is room
  EXPECT_EQ(state.task(train).state, TaskState::kDone);
  EXPECT_TRUE(claim(one));
  EXPECT_TRUE(claim(two));
}

// What was finished before a task was queued again is not sent again in its place.
TEST_F(SuitabilityTest, ResultsOlderThanARequeueDoNotCount) {
  const auto grid = make_grid("g", {1});
  ask<protocol::GridSubmitted>(SubmitEvent(grid));
  const std::string one = join(make_worker(1));
  end(one, claim(one).value());
  const Assignment first = claim(one).value();
  EXPECT_EQ(first.results_from, 1);
  end(one, first);
  ask<protocol::GridSubmitted>(SubmitEvent(grid, {first.task_id}));  // its model is gone
  Assignment again = claim(one).value();
  while (again.task_id != first.task_id) {
    end(one, again);
    again = claim(one).value();
  }
  EXPECT_EQ(again.attempt, 2);
  EXPECT_EQ(again.results_from, 2);
}

// Found by the simulation: the files of a removed task are deleted, and its old worker's result
// names them.
TEST_F(SuitabilityTest, LostAttemptsOfBeforeARequeueDoNotCountEither) {
  const auto grid = make_grid("g", {1});
  ask<protocol::GridSubmitted>(SubmitEvent(grid));
  const std::string one = join(make_worker(1));
  const Assignment lost = claim(one).value();
  pass(settings.lease_seconds + 1);
  ask<CountReply>(RemoveTaskEvent{lost.task_id});
  ask<CountReply>(RetryTaskEvent{lost.task_id, {}});
  EXPECT_EQ(ask<protocol::HeartbeatReply>(HeartbeatEvent{heartbeat_of(lost, 5)}).order,
            protocol::Order::kAbandon);
  EXPECT_FALSE(end(one, lost));
  EXPECT_EQ(state.task(lost.task_id).state, TaskState::kReady);
  step(state, ClearingEvent{lost.task_id, -1}, now, settings);  // its files are deleted
  EXPECT_EQ(claim(one).value().attempt, 2);
}

}  // namespace
}  // namespace remixer::coordinator
