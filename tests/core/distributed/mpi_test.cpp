// SPDX-License-Identifier: Apache-2.0
// Runs on every rank of an mpirun; each rank holds the same expectations.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "core/distributed/mpi_communicator.h"

namespace remixer::training {
namespace {

MpiCommunicator& world() {
  static MpiCommunicator communicator(20);
  return communicator;
}

TEST(MpiCommunicatorTest, SumsTensorsOverRanks) {
  at::Tensor values = at::arange(5, at::kFloat) * (world().rank() + 1);
  world().all_reduce_sum(values);
  const int total = world().size() * (world().size() + 1) / 2;
  EXPECT_TRUE(at::equal(values, at::arange(5, at::kFloat) * total));
}

TEST(MpiCommunicatorTest, BroadcastsAnyRanksBytes) {
  for (int root = 0; root < world().size(); ++root) {
    const std::string mine = root == world().rank() ? "from " + std::to_string(root) : "";
    EXPECT_EQ(world().broadcast(mine, root), "from " + std::to_string(root));
  }
}

TEST(MpiCommunicatorTest, GathersInRankOrder) {
  const auto pieces = world().all_gather(std::string(static_cast<size_t>(world().rank()), 'x'));
  ASSERT_EQ(pieces.size(), static_cast<size_t>(world().size()));
  for (size_t i = 0; i < pieces.size(); ++i) EXPECT_EQ(pieces[i], std::string(i, 'x'));
}

TEST(MpiCommunicatorTest, LargestValueWins) {
  EXPECT_EQ(world().all_reduce_max(10 + world().rank()), 9 + world().size());
}

TEST(MpiCommunicatorTest, ProcessGroupReducesGathersAndBroadcasts) {
  if (world().size() == 1) {
    EXPECT_FALSE(world().process_group());
    return;
  }
  auto group = world().process_group();
  std::vector<at::Tensor> tensors{at::full({3}, world().rank() + 1.0)};
  auto work = group->allreduce(tensors);
  work->wait();
  EXPECT_TRUE(work->getFuture()->completed());
  const double total = world().size() * (world().size() + 1) / 2.0;
  EXPECT_TRUE(at::equal(tensors[0], at::full({3}, total)));

  std::vector<at::Tensor> inputs{at::full({2}, static_cast<double>(world().rank()))};
  std::vector<std::vector<at::Tensor>> outputs(1);
  for (int i = 0; i < world().size(); ++i) outputs[0].push_back(at::empty({2}));
  group->allgather(outputs, inputs)->wait();
  for (int i = 0; i < world().size(); ++i) {
    EXPECT_TRUE(
        at::equal(outputs[0][static_cast<size_t>(i)], at::full({2}, static_cast<double>(i))));
  }
}

// Last: it leaves collectives unfinished. A rank that gives up wakes those that wait for it.
TEST(MpiCommunicatorTest, ZAlarmEndsThePeersWait) {
  if (world().size() == 1) return;
  if (world().rank() == world().size() - 1) {
    world().raise_alarm(true, "image 7 is torn");
    return;
  }
  try {
    world().barrier();
    FAIL() << "the barrier was passed without rank " << world().size() - 1;
  } catch (const PeerFailed& failure) {
    EXPECT_STREQ(failure.what(), "image 7 is torn");
    EXPECT_TRUE(failure.bad_input);
    EXPECT_EQ(failure.rank, world().size() - 1);
  }
}

}  // namespace
}  // namespace remixer::training

int main(int argc, char** argv) {
  remixer::training::MpiSession session(&argc, &argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
