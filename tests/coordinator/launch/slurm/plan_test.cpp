// SPDX-License-Identifier: Apache-2.0
// What follows from squeue's words and from what waits: parsing, planning, counting failures.
#include "coordinator/launch/slurm/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "base/capture_output.h"
#include "base/error.h"
#include "coordinator/launch/slurm/health.h"

namespace remixer::coordinator::slurm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Job job(const std::string& id, const std::string& state, const std::string& reason = "") {
  Job made{id, state, reason, "", "", ""};
  made.phase = phase_of(state);
  return made;
}

TEST(JobsTest, ReadsWhatSqueueWrites) {
  const auto jobs = parse_jobs(
      "120_3|PENDING|Resources||2026-11-25T22:37:10|2026-11-25T22:47:10\n"
      "121|RUNNING|None|n[1-2]|2026-11-25T22:37:10|2026-11-25T22:47:10\n"
      "122|PENDING|BeginTime||N/A|N/A\n");
  ASSERT_EQ(jobs.size(), 3u);
  EXPECT_EQ(jobs[0].id, "120_3");
  EXPECT_EQ(jobs[0].reason, "Resources");
  EXPECT_EQ(jobs[0].phase, JobPhase::kWaiting);
  EXPECT_EQ(jobs[1].nodes, "n[1-2]");
  EXPECT_EQ(jobs[1].reason, "");
  EXPECT_EQ(jobs[1].phase, JobPhase::kRunning);
  EXPECT_EQ(jobs[2].start, "");
  EXPECT_THAT(parse_jobs(""), IsEmpty());
}

TEST(JobsTest, HalfALineIsNoList) {
  for (const char* text : {"120", "120|RUNNING|None|n1|x", "|RUNNING|None|n1|x|y", "a\nb\n"}) {
    EXPECT_THROW(parse_jobs(text), Error) << text;
  }
}

TEST(JobsTest, StatesOfSlurm) {
  for (const char* state : {"PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT"}) {
    EXPECT_EQ(phase_of(state), JobPhase::kWaiting) << state;
  }
  for (const char* state : {"RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "SIGNALING"}) {
    EXPECT_EQ(phase_of(state), JobPhase::kRunning) << state;
  }
  for (const char* state : {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED",
                            "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE"}) {
    EXPECT_EQ(phase_of(state), JobPhase::kEnded) << state;
  }
  // A lost node's processes may still run, and so may those of a job that Slurm gave up waiting
  // for.
  EXPECT_FALSE(job("1", "NODE_FAIL").surely_over());
  EXPECT_FALSE(job("1", "CANCELLED").surely_over());
  EXPECT_FALSE(job("1", "TIMEOUT").surely_over());
  EXPECT_TRUE(job("1", "COMPLETED").surely_over());
  EXPECT_TRUE(job("1", "PENDING", "launch_failed_requeued_held").stuck());
  EXPECT_FALSE(job("1", "PENDING", "Priority").stuck());
}

class PlanTest : public ::testing::Test {
 protected:
  Plan plan(int64_t running, double ready, const std::vector<Job>& jobs, int64_t waiting = 0) {
    Demand demand;
    demand.running = running;
    demand.ready = ready;
    demand.unfinished = running + static_cast<int64_t>(std::ceil(ready)) + waiting;
    demand.local_workers = local_workers;
    return plan_allocations(site, demand, jobs);
  }
  Site site;
  int64_t local_workers = 0;
};

TEST_F(PlanTest, FollowsTheQueueUpToBacklogAndMaximum) {
  site.queue.maximum = 4;
  site.queue.backlog = 2;
  EXPECT_EQ(plan(0, 0, {}).submit, 0);
  EXPECT_EQ(plan(0, 1, {}).submit, 1);
  EXPECT_EQ(plan(0, 10, {}).submit, 2);
  EXPECT_EQ(plan(0, 10, {job("1", "PENDING")}).submit, 1);
  EXPECT_EQ(plan(0, 10, {job("1", "PENDING"), job("2", "PENDING")}).submit, 0);
  EXPECT_EQ(plan(2, 10, {job("1", "RUNNING"), job("2", "RUNNING")}).submit, 2);
  EXPECT_EQ(plan(3, 10, {job("1", "RUNNING"), job("2", "RUNNING"), job("3", "RUNNING")}).submit, 1);
  EXPECT_EQ(plan(1, 0, {job("1", "RUNNING")}).submit, 0);
}

TEST_F(PlanTest, JobsThatAreOverOrForgottenAreNotCounted) {
  site.queue.maximum = 1;
  EXPECT_EQ(plan(0, 1, {job("1", "COMPLETED"), job("2", "NODE_FAIL"), job("3", "TIMEOUT")}).submit,
            1);
  EXPECT_EQ(plan(0, 1, {}).submit, 1);
}

TEST_F(PlanTest, WorkersSideBySideAndLocalOnesNeedFewer) {
  site.worker.workers = 4;
  site.queue.backlog = 8;
  EXPECT_EQ(plan(0, 5, {}).submit, 2);
  EXPECT_EQ(plan(0, 4, {}).submit, 1);
  EXPECT_EQ(plan(0, 0.2, {}).submit, 1);
  local_workers = 1;
  EXPECT_EQ(plan(0, 5, {}).submit, 1);
  EXPECT_EQ(plan(0, 1, {}).submit, 0);
}

TEST_F(PlanTest, TakesBackWhatNothingNeedsTheNewestFirst) {
  const std::vector<Job> three = {job("1", "RUNNING"), job("2", "PENDING"), job("3", "PENDING")};
  EXPECT_THAT(plan(1, 0, three).cancel, ElementsAre("3", "2"));
  // What waits for others will need them.
  EXPECT_THAT(plan(1, 0, three, 1).cancel, ElementsAre("3"));
  EXPECT_THAT(plan(1, 0, three, 2).cancel, IsEmpty());
  // Running ones end by themselves.
  EXPECT_THAT(plan(0, 0, {job("1", "RUNNING")}).cancel, IsEmpty());
}

TEST_F(PlanTest, SaysWhatFitsNoAllocation) {
  Demand demand;
  demand.unfit = 2;
  demand.unfit_why = "'train 1': its 3 ranks do not divide the batch's 4 shards";
  const Plan plan = plan_allocations(site, demand, {job("1", "PENDING")});
  EXPECT_EQ(plan.submit, 0);
  EXPECT_THAT(plan.cancel, ElementsAre("1"));
  EXPECT_THAT(plan.why, ::testing::EndsWith("; 2 that are ready fit no allocation of this site: "
                                            "'train 1': its 3 ranks do not divide the batch's 4 "
                                            "shards"));
}

TEST_F(PlanTest, EveryPlanKeepsToTheRules) {
  for (int64_t maximum = 1; maximum <= 4; ++maximum) {
    for (int64_t backlog = 1; backlog <= 3; ++backlog) {
      for (int running = 0; running <= 4; ++running) {
        for (int pending = 0; pending <= 4; ++pending) {
          for (int ready = 0; ready <= 6; ++ready) {
            site.queue.maximum = maximum;
            site.queue.backlog = backlog;
            std::vector<Job> jobs;
            for (int i = 0; i < running; ++i) jobs.push_back(job(std::to_string(i), "RUNNING"));
            for (int i = 0; i < pending; ++i) jobs.push_back(job(std::to_string(9 + i), "PENDING"));
            const Plan made = plan(running, ready, jobs);
            EXPECT_GE(made.submit, 0);
            if (made.submit > 0) {
              EXPECT_LE(running + pending + made.submit, maximum);
              EXPECT_LE(pending + made.submit, backlog);
              EXPECT_THAT(made.cancel, IsEmpty());
            }
            EXPECT_LE(static_cast<int>(made.cancel.size()), pending);
            EXPECT_FALSE(made.why.empty());
          }
        }
      }
    }
  }
}

class HealthTest : public ::testing::Test {
 protected:
  Health::Change look(const std::vector<Job>& jobs) { return health.look(jobs, demand); }
  Health health;
  Demand demand;
};

TEST_F(HealthTest, AllocationsThatComeToNothingAreCounted) {
  for (int i = 1; i <= 3; ++i) {
    const std::string id = std::to_string(i);
    look({job(id, "PENDING")});
    look({job(id, "RUNNING")});
    EXPECT_THAT(look({job(id, "FAILED", "NonZeroExitCode")}).failed, ElementsAre(id));
    EXPECT_EQ(health.start_failures(), i);
  }
  // One in which a worker came up begins the count anew.
  look({job("4", "RUNNING")});
  demand.allocations["4"];
  look({job("4", "COMPLETED")});
  EXPECT_EQ(health.start_failures(), 0);
}

TEST_F(HealthTest, WhatSaysNothingIsNotCounted) {
  look({job("1", "PENDING"), job("2", "RUNNING"), job("3", "RUNNING"), job("4", "PENDING")});
  look({job("1", "CANCELLED"), job("2", "NODE_FAIL"), job("3", "PREEMPTED")});  // 4 was forgotten
  EXPECT_EQ(health.start_failures(), 0);
  // Over before it was first seen: of an earlier life.
  look({job("9", "FAILED")});
  EXPECT_EQ(health.start_failures(), 0);
}

TEST_F(HealthTest, ForgottenAfterItRanWithoutAWorkerIsAFailure) {
  look({job("1", "RUNNING")});
  EXPECT_THAT(look({}).failed, ElementsAre("1"));
  EXPECT_THAT(look({}).failed, IsEmpty());
}

TEST_F(HealthTest, HeldForGoodIsAFailure) {
  look({job("1", "PENDING")});
  EXPECT_THAT(look({job("1", "PENDING", "launch_failed_requeued_held")}).failed, ElementsAre("1"));
}

TEST_F(HealthTest, WorkersOfJobsThatAreOverAreTold) {
  demand.allocations["1"].workers = {"w1", "w2"};
  demand.allocations["2"].workers = {"w3"};
  EXPECT_THAT(look({job("1", "RUNNING"), job("2", "RUNNING")}).over, IsEmpty());
  EXPECT_THAT(look({job("1", "FAILED"), job("2", "NODE_FAIL")}).over, ElementsAre("w1", "w2"));
}

TEST(CaptureTest, OutputErrorsAndCode) {
  const Captured captured =
      run_captured({"sh", "-c", "echo out; echo err >&2; echo $A; exit 3"}, 10, {{"A", "b"}});
  EXPECT_EQ(captured.output, "out\nb\n");
  EXPECT_EQ(captured.errors, "err\n");
  EXPECT_EQ(captured.code, 3);
  // More than a pipe holds.
  EXPECT_EQ(run_captured({"sh", "-c", "head -c 300000 /dev/zero"}, 10).output.size(), 300000u);
  EXPECT_EQ(run_captured({"sh", "-c", "kill -9 $$"}, 10).code, 137);
}

TEST(CaptureTest, SlowAndMissingProgramsAreErrors) {
  EXPECT_THROW(run_captured({"/nowhere/program"}, 10), Error);
  try {
    // A grandchild that keeps the pipe open.
    run_captured({"sh", "-c", "sleep 60 & sleep 60"}, 0.2);
    ADD_FAILURE() << "it answered";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("did not answer within 0.2 s"));
  }
}

TEST(CaptureTest, VariablesThatAreLeftOut) {
  ::setenv("SLURM_JOB_ID", "7", 1);
  ::setenv("SLURM_CONF", "/etc/other", 1);
  EXPECT_EQ(run_captured({"sh", "-c", "echo $SLURM_JOB_ID-$SLURM_CONF"}, 10,
                         {{"SLURM_CONF", "/etc/slurm.conf"}}, {"SLURM_"})
                .output,
            "-/etc/slurm.conf\n");
  ::unsetenv("SLURM_JOB_ID");
  ::unsetenv("SLURM_CONF");
}

}  // namespace
}  // namespace remixer::coordinator::slurm
