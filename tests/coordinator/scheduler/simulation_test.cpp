// SPDX-License-Identifier: Apache-2.0
// Many histories from many seeds, and the proof that the checks would notice.
//
//   REMIXER_SEED=1234 build/bin/simulation_test    replays one, saying what happens
//   REMIXER_SEEDS=200000 build/bin/simulation_test --gtest_filter='*AnyNumber*'
#include "tests/coordinator/scheduler/simulation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace remixer::coordinator::testing {
namespace {

constexpr uint64_t kShards = 8;
constexpr uint64_t kSeedsEach = 1250;  // 10,000 in all

uint64_t number_from(const char* variable) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : 0;
}

// Runs seeds until one violates a promise, which is printed with the command that replays it.
void expect_promises(uint64_t first, uint64_t count) {
  int64_t events = 0, crashes = 0, attempts = 0, tasks = 1000;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const Outcome outcome = simulate(seed);
    ASSERT_EQ(outcome.violation, "")
        << "replay: REMIXER_SEED=" << seed
        << " build/bin/simulation_test --gtest_filter=Simulation.Replay";
    events += outcome.events, crashes += outcome.crashes, attempts += outcome.attempts;
    tasks = std::min(tasks, outcome.tasks);
  }
  std::printf("%ld events, %ld crashes of the daemon, %ld attempts, %ld tasks or more\n", events,
              crashes, attempts, tasks);
}

TEST(Simulation, Replay) {
  const uint64_t seed = number_from("REMIXER_SEED");
  const Outcome outcome = simulate(seed, Fault::kNone, seed != 0);
  EXPECT_EQ(outcome.violation, "");
}

class SimulationShard : public ::testing::TestWithParam<uint64_t> {};

TEST_P(SimulationShard, PromisesHold) {
  expect_promises(1 + GetParam() * kSeedsEach, kSeedsEach);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SimulationShard, ::testing::Range(uint64_t{0}, kShards));

// As many as are asked for; a few where nobody asks.
TEST(Simulation, AnyNumberOfSeeds) {
  const uint64_t asked = number_from("REMIXER_SEEDS");
  expect_promises(1000000, asked > 0 ? asked : 20);
}

TEST(Simulation, TheSameSeedIsTheSameHistory) {
  for (const uint64_t seed : {11u, 12u, 13u}) {
    const Outcome one = simulate(seed), two = simulate(seed);
    EXPECT_EQ(one.attempts, two.attempts);
    EXPECT_EQ(one.crashes, two.crashes);
  }
}

// Without the fence, the sync, the transaction or the wait for leases, the checks find it, and
// soon.
class SimulationFault : public ::testing::TestWithParam<Fault> {};

TEST_P(SimulationFault, IsFound) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const Outcome outcome = simulate(seed, GetParam());
    if (outcome.violation.empty()) continue;
    std::printf("seed %lu: %s\n", seed, outcome.violation.c_str());
    return;
  }
  FAIL() << "200 histories without it, and no check noticed";
}

INSTANTIATE_TEST_SUITE_P(Removed, SimulationFault,
                         ::testing::Values(Fault::kNoFence, Fault::kNoSync, Fault::kNoTransaction,
                                           Fault::kNoLease, Fault::kNewestAttemptOnly,
                                           Fault::kBlindResend),
                         [](const auto& each) -> std::string {
                           switch (each.param) {
                             case Fault::kNoFence:
                               return "Fence";
                             case Fault::kNoSync:
                               return "Sync";
                             case Fault::kNoTransaction:
                               return "Transaction";
                             case Fault::kNewestAttemptOnly:
                               return "NamesOfResults";
                             case Fault::kBlindResend:
                               return "LookAtFiles";
                             default:
                               return "Lease";
                           }
                         });

}  // namespace
}  // namespace remixer::coordinator::testing
