// SPDX-License-Identifier: Apache-2.0
// How long what is left will take.
#include "coordinator/views/estimate.h"

#include <gtest/gtest.h>

#include "coordinator/scheduler/prepared_grid.h"
#include "coordinator/scheduler/step.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator {
namespace {

using namespace testing;

class EstimateTest : public ::testing::Test {
 protected:
  template <typename T>
  T ask(const Event& event) {
    return std::get<T>(step(state, event, now, settings).reply);
  }
  void pass(double seconds) {
    now.monotonic += seconds;
    now.wall += seconds;
  }
  static Task label(const std::string& labeler, const std::string& split) {
    return make_task(TaskKind::kLabel,
                     {{"dataset", {{"builder", "fashion-bg"}}},
                      {"labeler", {{"name", labeler}}},
                      {"split", split}},
                     "label " + split + " with " + labeler);
  }
  double whole(const Task& task) const {
    return Estimate(state, now).whole(task.kind, Name(similar_text(task.spec))).value_or(-1);
  }

  State state;
  Settings settings;
  Now now{1000, 1.8e9};
};

// Labels of the training set say nothing of another labeler's speed, but that labels of a test set
// take a fraction of it.
TEST_F(EstimateTest, AKindThatWasNotMeasuredIsScaledFromOneThatWas) {
  const Task measured = label("one of my own", "train");
  const Task other = label("another", "train"), small = label("another", "mixed_rand");
  protocol::SubmitGrid grid;
  grid.name = "g";
  grid.tasks = {measured, other, small};
  step(state, SubmitEvent(grid), now, settings);
  EXPECT_EQ(whole(measured), -1);

  const auto worker = ask<protocol::WorkerRegistered>(RegisterEvent{make_worker(1)}).worker_id;
  const auto assignment = *ask<protocol::ClaimReply>(ClaimEvent{worker}).assignment;
  step(state, HeartbeatEvent{heartbeat_of(assignment, 0)}, now, settings);
  pass(50);
  step(state, HeartbeatEvent{heartbeat_of(assignment, 50)}, now, settings);
  for (const bool done : {false, true}) {
    if (done) {
      pass(50);
      step(state, ResultEvent{result_of(assignment)}, now, settings);
    }
    EXPECT_NEAR(whole(measured), 100, 1e-6);
    EXPECT_NEAR(whole(other), 100, 1e-6);
    EXPECT_NEAR(whole(small), 15, 1e-6);
    EXPECT_NEAR(Estimate(state, now).whole(TaskKind::kEvaluate, Name("evaluate x y")).value(), 2,
                1e-6);
  }
  const auto look = outlook(state.grids.at(1), state, Estimate(state, now), now);
  EXPECT_NEAR(look.seconds_left.value(), 115, 1e-6);
}

}  // namespace
}  // namespace remixer::coordinator
