// SPDX-License-Identifier: Apache-2.0
// Allocations over a longer time: given back when nothing needs them, and kept by a daemon that is
// a job itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "tests/slurm/slurm_run.h"

namespace remixer::testing {
namespace {

using ::testing::HasSubstr;

class LifecycleTest : public ::testing::Test {
 protected:
  // Our allocations that wait, by id.
  std::string waiting() const { return cluster.jobs({"--states=PENDING", "--partition=main"}); }

  SlurmCluster cluster;
  SlurmRun run{cluster, "slurm"};
};

// Waiting allocations are given back when the work has gone; what runs is told to end by `down`.
TEST_F(LifecycleTest, GivesBackWhatNothingNeeds) {
  SiteChoices choices;
  choices.workers = 2;
  choices.nodes = 1;
  choices.ranks_per_node = 2;
  choices.maximum = 3;
  choices.idle_seconds = 600;
  run.write_site(choices);
  // Both nodes are taken by others, so allocations wait; as one array, where there are several.
  const std::string other =
      cluster.ask({"sbatch", "--parsable", "--partition=high", "--nodes=2", "--exclusive",
                   "--time=30", "--output=/dev/null", "--wrap=sleep 600"});
  auto daemon = run.up();
  ASSERT_TRUE(eventually([&] { return fs::exists(run.workspace() / "access.json"); }))
      << run.trouble(*daemon);
  run.submit(small_grid());
  ASSERT_TRUE(eventually([&] { return !waiting().empty(); }, kPatience)) << run.trouble(*daemon);
  const auto listed = run.allocations();
  ASSERT_EQ(listed.size(), 1u) << "the first task alone can start";
  EXPECT_EQ(listed[0]["state"], "PENDING");
  // The site's variables may be secrets.
  for (const char* file : {"slurm.json", "slurm-allocation.sh"}) {
    const auto others = fs::status(run.workspace() / file).permissions() &
                        (fs::perms::group_all | fs::perms::others_all);
    EXPECT_EQ(others, fs::perms::none) << file;
  }
  // A controller that is away changes nothing, and its return is noticed.
  cluster.stop_controller();
  ASSERT_TRUE(eventually(
      [&] {
        return run.run({"slurm", "status"}).output.find("squeue") != std::string::npos;
      },
      kPatience))
      << run.trouble(*daemon);
  EXPECT_EQ(run.allocations().size(), 1u);
  cluster.start_controller();
  EXPECT_EQ(run.run({"cancel", "small"}).code, 0);
  EXPECT_TRUE(eventually([&] { return waiting().empty(); }, kPatience)) << run.trouble(*daemon);

  cluster.ask({"scancel", other.substr(0, other.find('\n'))});
  EXPECT_EQ(run.run({"retry", "small"}).code, 0);
  // Two workers side by side in one allocation.
  ASSERT_TRUE(eventually(
      [&] {
        const auto now = run.allocations();
        return !now.empty() && now[0]["workers"] == 2;
      },
      kPatience))
      << run.trouble(*daemon);
  EXPECT_EQ(run.run({"slurm", "down"}).code, 0);
  EXPECT_TRUE(
      eventually([&] { return cluster.jobs({"--states=PENDING,RUNNING"}).empty(); }, kPatience))
      << run.trouble(*daemon);
  EXPECT_EQ(run.count("SELECT count(*) FROM attempt WHERE state IN ('lost', 'failed')"), 0)
      << run.trouble(*daemon);
  EXPECT_THAT(run.run({"slurm", "status"}).output, HasSubstr("no allocations are asked for"));
}

// The daemon as a job of its own, with mpirun in the allocations: cut short by its time limit, it
// hands over to its next life, on whatever node that is.
TEST_F(LifecycleTest, DaemonIsAJobItself) {
  SiteChoices choices;
  choices.launcher = "mpirun";
  choices.maximum = 1;
  choices.more =
      "[daemon]\ntime = \"10\"\nstate_folder = \"" + (run.path() / "local-disk").string() + "\"\n";
  run.write_site(choices);
  const Finished script = run.run({"slurm", "daemon", run.site().string()});
  ASSERT_EQ(script.code, 0) << script.errors;
  write_file_atomic(run.path() / "daemon.sh", script.output);
  const std::string job =
      cluster.ask({"sbatch", "--parsable", (run.path() / "daemon.sh").string()});
  const std::string id = job.substr(0, job.find('\n'));
  const fs::path database = run.path() / "local-disk/remixer.db";
  const auto number = [&](const std::string& sql) {
    return fs::exists(database) ? count(run.path() / "local-disk", sql) : 0;
  };
  const auto where = [&] {
    return cluster.ask({"squeue", "--array", "--states=all"}) + run.logs();
  };
  ASSERT_TRUE(eventually([&] { return fs::exists(run.workspace() / "access.json"); }, kPatience))
      << where();
  run.submit(small_grid(20));
  ASSERT_TRUE(eventually(
      [&] { return number("SELECT count(*) FROM metric WHERE name = 'loss'") > 0; }, kPatience))
      << where();
  cluster.ask({"scontrol", "update", "JobId=" + id, "TimeLimit=1"});
  // Between its lives the database is in the workspace, whole.
  ASSERT_TRUE(
      eventually([&] { return fs::exists(run.workspace() / "slurm-state/remixer.db"); }, kPatience))
      << where();
  ASSERT_TRUE(eventually(
      [&] {
        return cluster.ask({"squeue", "--noheader", "--states=all", "--format=%T", "--jobs=" + id})
                   .find("COMPLETED") != std::string::npos;
      },
      200))
      << where();
  EXPECT_EQ(
      count(run.workspace() / "slurm-state", "SELECT count(*) FROM task WHERE state != 'done'"), 0)
      << where();
  EXPECT_FALSE(fs::exists(run.workspace() / "slurm-state/host"));
}

}  // namespace
}  // namespace remixer::testing
