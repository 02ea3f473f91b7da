// SPDX-License-Identifier: Apache-2.0
// One grid on Slurm through everything that happens to allocations; its figures are those of an
// undisturbed run elsewhere.
#include <gtest/gtest.h>

#include <memory>
#include <sstream>

#include "tests/slurm/slurm_run.h"

namespace remixer::testing {
namespace {

constexpr int kEpochs = 80;

class DisturbedTest : public ::testing::Test {
 public:
  void SetUp() override {
    // One thread a rank, here as in an allocation: the order of sums depends on it.
    ::setenv("OMP_NUM_THREADS", "1", 1);
    run.write_site({});
  }

  void start_daemon() {
    daemon.reset();
    daemon = run.up();
    ASSERT_TRUE(eventually([&] { return daemon->output().find("listens on") != std::string::npos; },
                           kPatience))
        << daemon->output() << daemon->errors();
  }

  // An attempt that has trained some steps since the call.
  void wait_for_training() {
    const std::string progress =
        "SELECT coalesce(max(fence * 100000 + step), 0) FROM metric WHERE name = 'loss'";
    const int64_t before = run.count(progress);
    ASSERT_TRUE(eventually([&] { return run.count(progress) > before + 3 && !running().empty(); },
                           kPatience))
        << where();
  }

  // Ids of our running allocations.
  std::vector<std::string> running() const {
    std::vector<std::string> ids;
    std::istringstream lines(cluster.jobs({"--states=RUNNING", "--partition=main"}));
    for (std::string id; std::getline(lines, id);) ids.push_back(id);
    return ids;
  }
  int64_t attempts(const std::string& state) const {
    return run.count("SELECT count(*) FROM attempt WHERE state = '" + state + "'");
  }
  std::string where() const { return run.trouble(*daemon); }

  // Jobs of a higher partition take both nodes away; the allocations are put back into the queue.
  void preempt() {
    wait_for_training();
    const int64_t released = attempts("released");
    cluster.ask({"sbatch", "--partition=high", "--nodes=2", "--exclusive", "--time=5",
                 "--output=/dev/null", "--wrap=sleep 2"});
    ASSERT_TRUE(eventually([&] { return attempts("released") > released; }, kPatience)) << where();
  }

  // The limit comes near: Slurm signals, the workers write checkpoints and end.
  void reach_time_limit() {
    wait_for_training();
    const int64_t released = attempts("released");
    for (const std::string& id : running()) {
      cluster.ask({"scontrol", "update", "JobId=" + id, "TimeLimit=1"});
    }
    ASSERT_TRUE(eventually([&] { return attempts("released") > released; }, kPatience)) << where();
  }

  // kill -9 of the daemon; its workers go on meanwhile, and the next daemon takes them over.
  void kill_daemon() {
    wait_for_training();
    daemon->signal(SIGKILL);
    daemon->wait();
    start_daemon();
    wait_for_training();
  }

  void cancel_allocations() {
    wait_for_training();
    const int64_t released = attempts("released");
    std::vector<std::string> command = {"scancel"};
    for (const std::string& id : running()) command.push_back(id);
    if (command.size() > 1) cluster.ask(command);
    ASSERT_TRUE(eventually([&] { return attempts("released") > released; }, kPatience)) << where();
  }

  // kill -9 of a whole node. Nobody reports anything: the lease ends, Slurm notices, the job runs
  // elsewhere.
  void lose_node() {
    wait_for_training();
    const int64_t lost = attempts("lost");
    cluster.lose_node("n1");
    ASSERT_TRUE(eventually([&] { return attempts("lost") > lost; }, kPatience)) << where();
    cluster.start_node("n1");
  }

  SlurmCluster cluster;
  SlurmRun run{cluster, "disturbed"};
  std::unique_ptr<Program> daemon;
};

TEST_F(DisturbedTest, FiguresEqualAnUndisturbedRuns) {
  const std::string grid = small_grid(kEpochs);
  ScratchFolder undisturbed("undisturbed");
  const Finished whole = run_program(run_command(undisturbed, grid), undisturbed.path(), 600);
  ASSERT_EQ(whole.code, 0) << whole.errors;

  start_daemon();
  run.submit(grid);
  for (const auto& disturb :
       {&DisturbedTest::preempt, &DisturbedTest::reach_time_limit, &DisturbedTest::kill_daemon,
        &DisturbedTest::cancel_allocations, &DisturbedTest::lose_node}) {
    ASSERT_NO_FATAL_FAILURE((this->*disturb)());
  }
  ASSERT_TRUE(eventually([&] { return run.done(); }, kPatience)) << where();

  EXPECT_EQ(figures(run.workspace()), figures(undisturbed / "workspace"));
  EXPECT_EQ(run.count("SELECT count(*) FROM task WHERE failures > 0 OR crashes > 2"), 0);
  // Many tasks ran in few allocations, and those end by themselves when there is no more to do.
  EXPECT_TRUE(eventually([&] { return cluster.jobs({"--states=PENDING,RUNNING"}).empty(); }, 60))
      << where();
  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(60).code, 0) << daemon->errors();
}

}  // namespace
}  // namespace remixer::testing
