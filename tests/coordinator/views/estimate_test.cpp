// SPDX-License-Identifier: Apache-2.0
// How long what is left will take.
#include "coordinator/views/estimate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

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
                     spec_json(experiments::LabelSpec{{{"fashion-bg"}}, split, {{labeler}}}),
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

// The quickstart's tasks, in its order, on one worker that takes for each what `seconds` says.
class QuickstartEstimateTest : public EstimateTest {
 protected:
  // How much slower than on the machine that docs/labels.md and README measured.
  double labelling_ = 1, training_ = 1;

  QuickstartEstimateTest() {
    dataset_ = {{"fashion-bg", 1, {{"train_images", 8000}, {"test_images", 1000}}}};
    grid_.name = "quickstart";
    add(make_task(TaskKind::kPrepare, spec_json(experiments::PrepareSpec{dataset_}), "prepare"));
    for (const char* model : {"deit", "mixer", "convmixer"}) {
      for (const char* labeler : {"none", "saliency", "relabel", "bbox_grabcut"}) {
        add_cell(std::string(model) + "_nano_patch4_32", "none", labeler);
      }
    }
    add_cell("deit_nano_patch4_32", "convit", "none");
    add_cell("deit_nano_patch4_32", "convit", "relabel");
    add_cell("convmixer_nano_patch4_32_full", "none", "none");
  }

  void add(const Task& task) {
    for (const Task& each : grid_.tasks) {
      if (each.id() == task.id()) return;
    }
    grid_.tasks.push_back(task);
  }

  void add_label(const std::string& labeler, const std::string& split) {
    add(make_task(TaskKind::kLabel, spec_json(experiments::LabelSpec{dataset_, split, {{labeler}}}),
                  "label", {grid_.tasks[0].id()}));
  }

  void add_cell(const std::string& architecture, const std::string& prior,
                const std::string& labeler) {
    Cell cell = make_cell(0);
    cell.architecture = architecture;
    cell.spatial_prior = prior;
    cell.dataset = dataset_;
    cell.labeler_name = labeler;
    cell.recipe.epochs = 8;
    std::vector<std::string> sets = {"original", "only_bg_b", "only_fg", "mixed_same",
                                     "mixed_rand"};
    if (labeler != "none") {
      cell.labeler = experiments::LabelerSpec{{labeler}};
      cell.distance = labeler == "relabel" ? "cosine" : "l1";
      add_label(labeler, "train");
    }
    if (labeler == "none" || labeler == "bbox_grabcut") {
      sets.insert(sets.end(), {"only_bg_t", "no_fg", "mixed_next"});
    }
    grid_.cells.push_back(cell);
    const Task train = make_task(TaskKind::kTrain, {{"cell", cell.identity()}}, "train",
                                 {grid_.tasks[0].id()}, cell.id());
    add(train);
    for (const std::string& set : sets) {
      if (labeler != "none") add_label(labeler, set);
      add(make_task(TaskKind::kEvaluate,
                    {{"cell", cell.identity()}, {"eval_set", set}, {"version", 1}}, "evaluate",
                    {train.id()}, cell.id()));
    }
  }

  double seconds(const Task& task) const {
    const std::string text = task.spec.dump();
    const auto has = [&](const char* word) { return text.find(word) != std::string::npos; };
    switch (task.kind) {
      case TaskKind::kPrepare:
        return 25;
      case TaskKind::kLabel: {
        const double images = task.spec.at("split") == "train" ? 8000 : 1000;
        return 2 + labelling_ * images * (has("saliency") ? 0.030 : has("relabel") ? 0.016 : 0.012);
      }
      case TaskKind::kTrain: {
        const Model& model = has("convmixer") ? kConvMixer : has("mixer") ? kMixer : kDeit;
        const double masks = has("\"distance\":\"none\"") ? 1 : model.masks;
        return training_ * masks * (has("convit") ? 1.4 : 1) * model.seconds;
      }
      default:
        return 3;
    }
  }
  // Their proportions are those of `remixer bench step`.
  struct Model {
    double seconds, masks;
  };
  static constexpr Model kDeit{64, 0.93}, kMixer{42, 1.13}, kConvMixer{14, 1.16};

  // Runs it, and says the worst estimate from the second minute on: by how much of the time that
  // really was left it was off.
  double worst() {
    step(state, SubmitEvent(grid_), now, settings);
    const auto worker = ask<protocol::WorkerRegistered>(RegisterEvent{make_worker(1)}).worker_id;
    const double begun = now.monotonic;
    std::map<std::string, const Task*> tasks;  // without the store, an assignment has no spec
    for (const Task& task : grid_.tasks) tasks[task.id()] = &task;
    std::vector<std::pair<double, double>> said;  // when, seconds left
    while (true) {
      const auto assignment = ask<protocol::ClaimReply>(ClaimEvent{worker}).assignment;
      if (!assignment) break;
      const double all = seconds(*tasks.at(assignment->task_id)), from = now.monotonic;
      // Two seconds to start, then steps of an even pace.
      while (now.monotonic - from + 1 < all) {
        pass(1);
        const double moved = std::max(0.0, now.monotonic - from - 2) / std::max(1.0, all - 2);
        auto beat = heartbeat_of(*assignment, static_cast<int64_t>(1000 * moved));
        beat.total_steps = 1000;
        step(state, HeartbeatEvent{beat}, now, settings);
        const auto look = outlook(state.grids.at(1), state, Estimate(state, now), now);
        if (now.monotonic - begun < 120) continue;
        EXPECT_TRUE(look.seconds_left) << "after " << now.monotonic - begun << " s";
        said.emplace_back(now.monotonic, look.seconds_left.value_or(0));
      }
      pass(all - (now.monotonic - from));
      step(state, ResultEvent{result_of(*assignment)}, now, settings);
    }
    EXPECT_EQ(state.grids.at(1).count(TaskState::kDone), static_cast<int64_t>(grid_.tasks.size()));
    double worst = 0;
    for (const auto& [when, left] : said) {
      const double really = now.monotonic - when;
      if (really > 60) worst = std::max(worst, std::abs(left - really) / really);
    }
    return worst;
  }

  experiments::DatasetSpec dataset_;
  protocol::SubmitGrid grid_;
};

TEST_F(QuickstartEstimateTest, IsRightWithinThirtyPercentFromTheSecondMinuteOn) {
  EXPECT_LT(worst(), 0.3);
}

// The tables are another machine's: what is measured here corrects them.
TEST_F(QuickstartEstimateTest, AlsoWhereLabelsAreSlow) {
  labelling_ = 1.5;
  EXPECT_LT(worst(), 0.3);
}

TEST_F(QuickstartEstimateTest, AlsoWhereTrainingIsSlow) {
  training_ = 1.5;
  EXPECT_LT(worst(), 0.3);
}

}  // namespace
}  // namespace remixer::coordinator
