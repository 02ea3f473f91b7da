// SPDX-License-Identifier: Apache-2.0
// What Slurm is asked for is what its allocations could run.
#include "coordinator/views/demand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/coordinator/support.h"

namespace remixer::coordinator {
namespace {

using namespace testing;
using protocol::ClaimReply;
using ::testing::HasSubstr;

class DemandTest : public ::testing::Test {
 protected:
  template <typename T>
  T ask(const Event& event) {
    return std::get<T>(step(state, event, now, settings).reply);
  }
  // One cell whose data set is prepared.
  void submit(const std::function<void(Cell&)>& change) {
    protocol::SubmitGrid grid;
    grid.name = "g";
    Cell cell = make_cell(1);
    change(cell);
    grid.cells.push_back(cell);
    grid.tasks.push_back(make_task(TaskKind::kPrepare,
                                   spec_json(experiments::PrepareSpec{cell.dataset}), "prepare"));
    const std::string prepare = grid.tasks[0].id();
    grid.tasks.push_back(
        make_task(TaskKind::kTrain, {{"cell", cell.identity()}}, "train", {prepare}, cell.id()));
    train = grid.tasks[1].id();
    grid.tasks.push_back(make_task(TaskKind::kEvaluate,
                                   {{"cell", cell.identity()}, {"eval_set", "original"}},
                                   "evaluate", {prepare, train}, cell.id()));
    grid_id = ask<protocol::GridSubmitted>(SubmitEvent(grid)).grid_id;
    const auto worker = ask<protocol::WorkerRegistered>(RegisterEvent{make_worker(1)}).worker_id;
    ask<protocol::ResultReply>(
        ResultEvent{result_of(ask<ClaimReply>(ClaimEvent{worker}).assignment.value())});
    step(state, WorkerGoneEvent{worker}, now, settings);
  }
  slurm::Demand demand() { return demand_of({state, store, settings, now}, site); }
  std::string why() {
    return unfit_for_site({state, store, settings, now}, state.task(train), *site);
  }
  // What an allocation turned out to bring.
  void allocation_showed(const std::string& device, const Json& weights) {
    auto about = make_worker(9);
    about.device = device;
    about.environment = {{"allocation", "slurm:7"}, {"weights", weights}};
    ask<protocol::WorkerRegistered>(RegisterEvent{about});
  }

  Store store{":memory:"};
  State state;
  Settings settings;
  Now now{1000, 1.8e9};
  std::optional<slurm::Site> site = slurm::Site();
  std::string train;
  int64_t grid_id = 0;
};

TEST_F(DemandTest, CountsWhatAnAllocationCouldRun) {
  submit([](Cell& cell) { cell.recipe.shards = 4; });
  site->allocation.ranks_per_node = 2;
  EXPECT_EQ(demand().ready, 1);
  EXPECT_EQ(demand().unfinished, 2);
  EXPECT_EQ(demand().unfit, 0);
}

TEST_F(DemandTest, RanksThatDoNotDivideTheShardsAreNoDemand) {
  submit([](Cell& cell) { cell.recipe.shards = 4; });
  site->allocation.ranks_per_node = 3;
  EXPECT_EQ(demand().ready, 0);
  EXPECT_EQ(demand().unfinished, 0) << "the evaluation waits for it";
  EXPECT_EQ(demand().unfit, 1);
  EXPECT_THAT(demand().unfit_why, HasSubstr("'train': its 3 ranks do not divide"));
  EXPECT_THAT(why(), HasSubstr("4 shards"));
  EXPECT_EQ(plan_allocations(*site, demand(), {}).submit, 0);
  site.reset();
  EXPECT_EQ(demand().ready, 1) << "nothing is known";
}

TEST_F(DemandTest, PrecisionIsHopedForUntilAnAllocationShowsOtherwise) {
  submit([](Cell& cell) { cell.precision = "fp16"; });
  EXPECT_EQ(demand().ready, 1);
  allocation_showed("cpu", Json::array());
  EXPECT_EQ(demand().ready, 0);
  EXPECT_THAT(why(), HasSubstr("fp16"));
  site->allocation.gres = "gpu:2";
  EXPECT_EQ(demand().ready, 1);
}

TEST_F(DemandTest, GridsThatWantMoreThanAnAllocationHas) {
  submit([](Cell& cell) { cell.recipe.shards = 8; });
  ask<CountReply>(ConfigureGridEvent{grid_id, {0, 0, 8, 0}});
  EXPECT_EQ(demand().ready, 0);
  EXPECT_THAT(why(), HasSubstr("8 ranks"));
  site->allocation.ranks_per_node = 8;
  EXPECT_EQ(demand().ready, 1);
}

TEST_F(DemandTest, LabelsNeedTheirNetwork) {
  protocol::SubmitGrid grid;
  grid.name = "labels";
  grid.tasks.push_back(
      make_task(TaskKind::kLabel,
                spec_json(experiments::LabelSpec{{{"x"}}, "train", {{"saliency"}}}), "label"));
  ask<protocol::GridSubmitted>(SubmitEvent(grid));
  EXPECT_EQ(demand().ready, 1);
  allocation_showed("cpu", Json::array({"efficientnet_lite0.safetensors"}));
  EXPECT_EQ(demand().ready, 0);
  EXPECT_THAT(demand().unfit_why, HasSubstr("u2netp.safetensors"));
}

}  // namespace
}  // namespace remixer::coordinator
