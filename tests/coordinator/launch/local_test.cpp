// SPDX-License-Identifier: Apache-2.0
// The launcher's care for its processes. Small shell programs stand where the worker stands: what
// is tested is starting, watching and ending, not work.
#include "coordinator/launch/local.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <chrono>
#include <functional>
#include <thread>

#include "base/child_process.h"
#include "base/file.h"
#include "base/host.h"
#include "coordinator/launch/log_cause.h"
#include "coordinator/launch/share.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TemporaryFolder;

bool eventually(const std::function<bool()>& holds, double seconds = 20) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

class LauncherTest : public ::testing::Test {
 protected:
  // Without mpirun on PATH one rank is started directly, which is quick.
  void SetUp() override { ::setenv("PATH", "/nowhere", 1); }
  void TearDown() override { ::setenv("PATH", path.c_str(), 1); }
  LauncherOptions options(const std::string& script) {
    LauncherOptions options;
    options.workspace = folder.path;
    options.access_file = folder.path / "access.json";
    options.worker_program = folder.path / "program";
    options.backoff_seconds = 0.01;
    write_file_atomic(options.worker_program, "#!/bin/sh\nPATH=/usr/bin:/bin\n" + script, 0755);
    return options;
  }
  std::string log() { return read_file_if_exists(folder.path / "logs/worker-1.log").value_or(""); }
  int64_t number_in(const std::string& name) {
    const auto text = read_file_if_exists(folder.path / name);
    return text && !text->empty() ? std::stoll(*text) : 0;
  }

  TemporaryFolder folder;
  const std::string path = std::getenv("PATH");
};

TEST_F(LauncherTest, GivesTheAccessFileAndKeepsTheLog) {
  LocalLauncher launcher(options("echo \"$1 $2 threads=$OMP_NUM_THREADS\"; sleep 60\n"));
  launcher.start(1, 1);
  ASSERT_TRUE(eventually([&] { return log().find("threads=") != std::string::npos; }));
  EXPECT_THAT(log(), HasSubstr("--access " + (folder.path / "access.json").string()));
  EXPECT_EQ(launcher.alive(), 1);
}

TEST_F(LauncherTest, StartsTheRanksUnderMpirun) {
  EXPECT_THROW(LocalLauncher(options("")).start(1, 2), InputError) << "no mpirun on PATH";
  ::setenv("PATH", path.c_str(), 1);
  LocalLauncher launcher(
      options("echo \"rank $OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE\"; sleep 60\n"));
  launcher.start(1, 2);
  EXPECT_TRUE(eventually([&] {
    return log().find("rank 0 of 2") != std::string::npos &&
           log().find("rank 1 of 2") != std::string::npos;
  })) << log();
}

TEST_F(LauncherTest, ForgetsTheJobThatTheUserStandsIn) {
  for (const char* name : {"SLURM_JOB_ID", "OMPI_MCA_orte_default_hostfile", "PMIX_RANK"}) {
    ::setenv(name, "/nowhere", 1);
  }
  ::setenv("PATH", path.c_str(), 1);
  LocalLauncher launcher(
      options("echo \"[$SLURM_JOB_ID$OMPI_MCA_orte_default_hostfile] asked $REMIXER_RANKS "
              "of $OMPI_COMM_WORLD_SIZE\"; sleep 60\n"));
  launcher.start(1, 2);
  EXPECT_TRUE(eventually([&] { return log().find("[] asked 2 of 2") != std::string::npos; }))
      << log();
  for (const char* name : {"SLURM_JOB_ID", "OMPI_MCA_orte_default_hostfile", "PMIX_RANK"}) {
    ::unsetenv(name);
  }
}

TEST(LogCause, IsTheFirstLinesOfWhatWentWrong) {
  const std::string log =
      "2026-01-01 10:00:00 info this worker runs on the processor\n"
      "remixer-worker: error while loading shared libraries: libx.so: cannot open shared object\n"
      "--------------------------------------------------------------------------\n"
      "Primary job  terminated normally, but 1 process returned\n"
      "a non-zero exit code. Per user-direction, the job has been aborted.\n"
      "--------------------------------------------------------------------------\n"
      "mpirun detected that one or more processes exited with non-zero status\n";
  EXPECT_EQ(first_cause(log),
            "remixer-worker: error while loading shared libraries: libx.so: cannot open shared "
            "object");
  // Without a word that says so, the first lines.
  EXPECT_EQ(first_cause("one\n\ntwo\nthree\nfour\n"), "one | two | three");
  EXPECT_EQ(first_cause(""), "");
}

TEST_F(LauncherTest, SharesCoresAndGpusOut) {
  const char* before = std::getenv("CUDA_VISIBLE_DEVICES");
  const std::string kept = before ? before : "";
  ::setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7", 1);
  LocalLauncher launcher(options(
      "grep Cpus_allowed_list /proc/self/status\n"
      "echo workers=$REMIXER_WORKERS_HERE gpus=$CUDA_VISIBLE_DEVICES own=$REMIXER_CORES_PER_RANK\n"
      "echo ready; sleep 60\n"));
  launcher.start(2, 1);
  const auto log_of = [&](int worker) {
    return read_file_if_exists(folder.path / fmt::format("logs/worker-{}.log", worker))
        .value_or("");
  };
  ASSERT_TRUE(eventually([&] {
    return log_of(1).find("ready") != std::string::npos &&
           log_of(2).find("ready") != std::string::npos;
  }));
  before ? ::setenv("CUDA_VISIBLE_DEVICES", kept.c_str(), 1) : ::unsetenv("CUDA_VISIBLE_DEVICES");
  EXPECT_THAT(log_of(1), HasSubstr("workers=2 gpus=4,5 own="));
  EXPECT_THAT(log_of(2), HasSubstr("gpus=6,7 own="));
  const auto cores_of = [&](int worker) {
    return log_of(worker).substr(0, log_of(worker).find('\n'));
  };
  if (own_cores().size() >= 2) {
    EXPECT_NE(cores_of(1), cores_of(2));
  } else {
    EXPECT_EQ(cores_of(1), cores_of(2));
  }
}

TEST(ShareTest, CardsAreThoseThatTheDriverShows) {
  const char* before = std::getenv("CUDA_VISIBLE_DEVICES");
  const std::string kept = before ? before : "";
  TemporaryFolder devices;
  // A container's only card keeps its number; CUDA calls it 0.
  for (const char* name : {"nvidia3", "nvidiactl", "nvidia-uvm", "null", "nvidia12"}) {
    write_file_atomic(devices.path / name, "");
  }
  ::unsetenv("CUDA_VISIBLE_DEVICES");
  EXPECT_THAT(own_gpus(devices.path), ElementsAre("0", "1"));
  EXPECT_THAT(own_gpus(devices.path / "missing"), IsEmpty());
  ::setenv("CUDA_VISIBLE_DEVICES", "2,GPU-77,-1,3", 1);
  EXPECT_THAT(own_gpus(devices.path), ElementsAre("2", "GPU-77"));
  for (const char* none : {"", "-1", "NoDevFiles"}) {
    ::setenv("CUDA_VISIBLE_DEVICES", none, 1);
    EXPECT_THAT(own_gpus(devices.path), IsEmpty()) << none;
  }
  before ? ::setenv("CUDA_VISIBLE_DEVICES", kept.c_str(), 1) : ::unsetenv("CUDA_VISIBLE_DEVICES");
}

std::pair<int, int> counted(const WorkerChoice& choice) {
  const WorkerCount count = count_workers(choice);
  return {count.workers, count.ranks};
}

TEST(ShareTest, WorkersAndRanksFollowTheGpus) {
  using Pair = std::pair<int, int>;
  EXPECT_EQ(counted({.gpus = 0, .cores = 64}), Pair(1, 2)) << "without GPUs as ever";
  EXPECT_EQ(counted({.gpus = 0, .cores = 1}), Pair(1, 1));
  EXPECT_EQ(counted({.gpus = 0, .cores = 8, .shards = 3}), Pair(1, 1)) << "two do not divide three";
  EXPECT_EQ(counted({.gpus = 1, .cores = 16}), Pair(1, 1));
  EXPECT_EQ(counted({.gpus = 2, .cores = 16}), Pair(1, 2));
  EXPECT_EQ(counted({.gpus = 4, .cores = 16}), Pair(1, 4));
  EXPECT_EQ(counted({.gpus = 8, .cores = 16}), Pair(2, 4)) << "two cells side by side";
  EXPECT_EQ(counted({.gpus = 8, .cores = 16, .shards = 8}), Pair(1, 8))
      << "a recipe that says eight";
  EXPECT_EQ(counted({.gpus = 8, .cores = 16, .cells = 1}), Pair(1, 4));
  EXPECT_EQ(counted({.gpus = 6, .cores = 16}), Pair(3, 2)) << "no card idle";
  EXPECT_EQ(counted({.gpus = 3, .cores = 16, .cells = 1}), Pair(1, 2));
}

TEST(ShareTest, WishesAreKept) {
  using Pair = std::pair<int, int>;
  EXPECT_EQ(counted({.gpus = 8, .cores = 16, .ranks = 2}), Pair(4, 2));
  EXPECT_EQ(counted({.gpus = 8, .cores = 16, .workers = 4}), Pair(4, 2));
  EXPECT_EQ(counted({.gpus = 8, .cores = 16, .workers = 1, .ranks = 1}), Pair(1, 1));
  EXPECT_EQ(counted({.gpus = 2, .cores = 16, .workers = 8}), Pair(8, 1)) << "cards shared in turn";
  EXPECT_EQ(counted({.gpus = 0, .cores = 16, .workers = 0}), Pair(0, 2));
  EXPECT_EQ(counted({.gpus = 0, .cores = 16, .ranks = 4}), Pair(1, 4));
}

TEST(ShareTest, PartsAreEqualAndNeighboursStayTogether) {
  const std::vector<int> things = {0, 1, 2, 3, 4};
  EXPECT_EQ(share_of(things, 0, 1), things);
  EXPECT_EQ(share_of(things, 0, 2), (std::vector<int>{0, 1}));
  EXPECT_EQ(share_of(things, 1, 2), (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(share_of(things, 6, 7), (std::vector<int>{1}));
  EXPECT_TRUE(share_of(std::vector<int>(), 0, 3).empty());
  EXPECT_GE(own_cores().size(), 1u);
}

TEST_F(LauncherTest, StartsADeadWorkerAgainAndGivesUpWithTheReason) {
  LocalLauncher launcher(options("echo started >> " + (folder.path / "starts").string() +
                                 "\necho 'no such device'; exit 3\n"));
  launcher.start(1, 1);
  ASSERT_TRUE(eventually([&] { return launcher.status().problem.has_value(); }));
  const std::string starts = read_file(folder.path / "starts");
  EXPECT_EQ(std::count(starts.begin(), starts.end(), '\n'), 5);
  EXPECT_THAT(launcher.status().problem.value_or(""), HasSubstr("no such device"));
  EXPECT_EQ(launcher.status().alive, 0);
}

TEST_F(LauncherTest, WorkerThatAsksForARestartIsNeverGivenUp) {
  LocalLauncher launcher(
      options("echo started >> " + (folder.path / "starts").string() + "\nexit 75\n"));
  launcher.start(1, 1);
  ASSERT_TRUE(eventually([&] {
    const std::string starts = read_file_if_exists(folder.path / "starts").value_or("");
    return std::count(starts.begin(), starts.end(), '\n') > 7;
  }));
  EXPECT_EQ(launcher.status().problem, std::nullopt);
}

TEST_F(LauncherTest, TerminatesInOrderAndKillsTheRest) {
  // Ends on SIGTERM, leaving a grandchild that does not.
  LocalLauncher launcher(
      options("trap 'echo ending; exit 0' TERM\n"
              "sh -c 'trap \"\" TERM; echo $$ > " +
              (folder.path / "grandchild").string() +
              "; while :; do sleep 1; done' &\n"
              "echo ready\nwhile :; do sleep 0.05; done\n"));
  launcher.start(1, 1);
  ASSERT_TRUE(eventually(
      [&] { return log().find("ready") != std::string::npos && number_in("grandchild") > 0; }));
  launcher.terminate();
  EXPECT_TRUE(eventually([&] { return launcher.alive() == 0; }));
  launcher.kill();
  EXPECT_TRUE(eventually([&] { return !process_alive(number_in("grandchild")); }));
}

TEST_F(LauncherTest, WorkersDoNotOutliveAKilledDaemon) {
  const pid_t daemon = ::fork();
  if (daemon == 0) {
    LocalLauncher launcher(
        options("echo $$ > " + (folder.path / "pid").string() + "\nexec sleep 600\n"));
    launcher.start(1, 1);
    for (;;) ::pause();
  }
  ASSERT_TRUE(eventually([&] { return number_in("pid") > 0; }));
  EXPECT_TRUE(process_alive(number_in("pid")));
  ::kill(daemon, SIGKILL);
  ::waitpid(daemon, nullptr, 0);
  EXPECT_TRUE(eventually([&] { return !process_alive(number_in("pid")); }));
}

TEST_F(LauncherTest, MissingProgramIsBadInput) {
  auto missing = options("");
  missing.worker_program = folder.path / "nothing";
  LocalLauncher launcher(missing);
  EXPECT_THROW(launcher.start(1, 1), InputError);
  EXPECT_NO_THROW(launcher.start(0, 1));
}

TEST(ProcessTest, KnowsTheLivingFromTheDead) {
  EXPECT_TRUE(process_alive(::getpid()));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  EXPECT_TRUE(eventually([&] { return !process_alive(child); })) << "a zombie is not alive";
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(process_alive(child));
  EXPECT_EQ(boot_id().size(), 36u);
}

}  // namespace
}  // namespace remixer::coordinator
