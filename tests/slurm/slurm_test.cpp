// SPDX-License-Identifier: Apache-2.0
// `remixer slurm` against a real Slurm: what is asked for, what is refused, what is given back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "tests/slurm/slurm_run.h"

namespace remixer::testing {
namespace {

using ::testing::HasSubstr;

class SlurmTest : public ::testing::Test {
 protected:
  SlurmCluster cluster;
  SlurmRun run{cluster, "slurm"};
};

TEST_F(SlurmTest, WhatSlurmWouldNotTakeIsSaidBeforeAnythingIsSubmitted) {
  SiteChoices choices;
  choices.partition = "nowhere";
  run.write_site(choices);
  const Finished refused = run.run({"slurm", "up", run.site().string()});
  EXPECT_EQ(refused.code, 2) << refused.output;
  EXPECT_THAT(refused.errors, HasSubstr("Slurm would not take the allocation"));
  EXPECT_THAT(refused.errors, HasSubstr("partition"));
  EXPECT_EQ(std::count(refused.errors.begin(), refused.errors.end(), '\n'), 1) << refused.errors;
  EXPECT_EQ(cluster.jobs({"--states=all"}), "");
  EXPECT_FALSE(fs::exists(run.workspace() / "access.json"));
  // More than a node has.
  choices.partition = "main";
  choices.ranks_per_node = 64;
  run.write_site(choices);
  EXPECT_EQ(run.run({"slurm", "up", run.site().string()}).code, 2);
  EXPECT_THAT(run.run({"slurm", "status"}).errors, HasSubstr("no daemon works on"));
}

// Allocations in which no worker comes up are not asked for again and again.
TEST_F(SlurmTest, PausesWhenAllocationsComeToNothing) {
  SiteChoices choices;
  choices.program = "/no/such/worker";
  choices.start_failures = 2;
  run.write_site(choices);
  auto daemon = run.up();
  ASSERT_TRUE(eventually([&] { return fs::exists(run.workspace() / "access.json"); }))
      << run.trouble(*daemon);
  run.submit(small_grid());
  const auto said = [&] { return run.run({"slurm", "status"}).output; };
  ASSERT_TRUE(eventually([&] { return said().find("paused") != std::string::npos; }, kPatience))
      << run.trouble(*daemon);
  EXPECT_THAT(said(), HasSubstr("came to nothing"));
  EXPECT_THAT(said(), HasSubstr("/no/such/worker"));
  const std::string seen = cluster.jobs({"--states=all"});
  std::this_thread::sleep_for(std::chrono::seconds(3));
  EXPECT_EQ(cluster.jobs({"--states=PENDING,RUNNING"}), "") << run.trouble(*daemon);
  // Mended, the running daemon is told, and goes on.
  choices.program.clear();
  run.write_site(choices);
  const Finished again = run.run({"slurm", "up", run.site().string()});
  EXPECT_EQ(again.code, 0) << again.errors;
  EXPECT_THAT(again.output, HasSubstr("at work already"));
  EXPECT_TRUE(eventually(
      [&] { return run.count("SELECT count(*) FROM task WHERE state = 'done'") > 0; }, kPatience))
      << run.trouble(*daemon);
}

}  // namespace
}  // namespace remixer::testing
