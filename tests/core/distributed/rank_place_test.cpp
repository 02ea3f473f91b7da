// SPDX-License-Identifier: Apache-2.0
// Who gets which GPU and how many cores, from descriptions of ranks as srun and mpirun make them.
#include "core/distributed/rank_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace remixer::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Uuids = std::vector<std::string>;

// Ranks as they stand on nodes: all of the first machine, then all of the second.
class Ranks {
 public:
  Ranks& node(const std::string& host, const std::vector<Uuids>& seen, int cores = 8,
              bool bound = false) {
    const int first = static_cast<int>(all.size());
    for (size_t i = 0; i < seen.size(); ++i) {
      RankPlace place;
      place.host = host;
      place.node = first;
      place.local_rank = static_cast<int>(i);
      place.gpus = seen[i];
      const int share = cores / static_cast<int>(seen.size());
      for (int core = 0; core < cores; ++core) {
        if (!bound || core / share == static_cast<int>(i)) place.cores.insert(core);
      }
      all.push_back(place);
    }
    return *this;
  }
  std::vector<RankPlace> all;
};

const Uuids kFour = {"a", "b", "c", "d"};

TEST(GpuPlanTest, AllGpusVisibleToEveryRank) {
  EXPECT_THAT(plan_gpus(Ranks().node("n1", {kFour, kFour, kFour, kFour}).all).gpu,
              ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(plan_gpus(Ranks().node("n1", {kFour, kFour}).all).gpu, ElementsAre(0, 1));
}

TEST(GpuPlanTest, OneVisibleGpuARank) {
  EXPECT_THAT(plan_gpus(Ranks().node("n1", {{"a"}, {"b"}, {"c"}, {"d"}}).all).gpu,
              ElementsAre(0, 0, 0, 0));
}

TEST(GpuPlanTest, SeveralNodes) {
  const Uuids more = {"e", "f"};
  EXPECT_THAT(plan_gpus(Ranks().node("n1", {kFour, kFour}).node("n2", {more, more}).all).gpu,
              ElementsAre(0, 1, 0, 1));
  EXPECT_THAT(plan_gpus(Ranks().node("n1", {{"a"}, {"b"}}).node("n2", {{"e"}, {"f"}}).all).gpu,
              ElementsAre(0, 0, 0, 0));
  // Containers may all be called the same.
  EXPECT_THAT(plan_gpus(Ranks().node("n", {{"a"}, {"b"}}).node("n", {{"e"}, {"f"}}).all).gpu,
              ElementsAre(0, 0, 0, 0));
}

TEST(GpuPlanTest, UnequalViewsOfTheSameCards) {
  // The first rank's wish is the only one that the third rank can have.
  const auto plan = plan_gpus(Ranks().node("n1", {{"a", "b"}, {"a", "b", "c"}, {"a"}}).all);
  EXPECT_THAT(plan.gpu, ElementsAre(1, 2, 0)) << plan.reason;
}

TEST(GpuPlanTest, TooFewGpusAreNamedWithTheirMachine) {
  const auto shared = plan_gpus(Ranks().node("n1", {{"a"}, {"b"}}).node("n2", {{"e"}, {"e"}}).all);
  EXPECT_THAT(shared.gpu, IsEmpty());
  EXPECT_THAT(shared.reason, HasSubstr("machine n2 runs 2 ranks, which between them see 1 GPU:"));
  EXPECT_THAT(plan_gpus(Ranks().node("n1", {kFour, kFour, kFour, kFour, kFour}).all).reason,
              HasSubstr("machine n1 runs 5 ranks, which between them see 4 GPUs"));
}

TEST(GpuPlanTest, AnyRanksObstacleIsAnObstacleForAll) {
  Ranks ranks;
  ranks.node("n1", {{"a"}}).node("n2", {{}});
  ranks.all[1].obstacle = "machine n2 has no driver";
  EXPECT_EQ(plan_gpus(ranks.all).reason, "machine n2 has no driver");
}

TEST(RankPlaceTest, TravelsAsText) {
  RankPlace place = Ranks().node("n1", {kFour}).all[0];
  place.obstacle = "no \"driver\"\n";
  const RankPlace back = RankPlace::from_text(place.to_text());
  EXPECT_EQ(back.to_text(), place.to_text());
  EXPECT_EQ(back.gpus, kFour);
  EXPECT_EQ(back.cores.size(), 8u);
}

TEST(CoresTest, RanksOfOneMachineShareItsCores) {
  const auto unbound = Ranks().node("n1", {{}, {}, {}, {}}, 16).all;
  for (int rank = 0; rank < 4; ++rank) EXPECT_EQ(cores_of(unbound, rank), 4);
  const auto bound = Ranks().node("n1", {{}, {}}, 16, true).all;
  EXPECT_EQ(cores_of(bound, 1), 8);
  EXPECT_EQ(cores_of(Ranks().node("n1", {{}, {}, {}}, 2).all, 0), 1) << "never none";
}

TEST(CoresTest, OtherMachinesRanksTakeNothing) {
  const auto ranks = Ranks().node("n1", {{}, {}}, 16).node("n2", {{}, {}}, 8).all;
  EXPECT_EQ(cores_of(ranks, 0), 8) << "a world of four ranks, two of them on this machine";
  EXPECT_EQ(cores_of(ranks, 3), 4);
}

TEST(CoresTest, ReadersFollowCores) {
  EXPECT_EQ(usual_loader_threads(12, true), 11);
  EXPECT_EQ(usual_loader_threads(1, true), 1);
  EXPECT_EQ(usual_loader_threads(8, false), 1);
  EXPECT_EQ(usual_loader_threads(64, false), 4);
}

}  // namespace
}  // namespace remixer::training
