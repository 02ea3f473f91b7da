// SPDX-License-Identifier: Apache-2.0
// The daemon as a whole: who may have a workspace, how it starts and ends.
#include "coordinator/daemon/daemon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "base/child_process.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/host.h"
#include "coordinator/daemon/workspace.h"
#include "coordinator/launch/slurm/site.h"
#include "coordinator/store/compact.h"
#include "experiments/protocol/client.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator {
namespace {

using namespace testing;
using experiments::protocol::Client;
using experiments::protocol::read_access;
using ::testing::HasSubstr;

class DaemonTest : public ::testing::Test {
 protected:
  DaemonOptions options() {
    DaemonOptions options;
    options.workspace = folder.path / "work";
    options.grace_seconds = 2;
    return options;
  }
  std::string message_of_start(const DaemonOptions& options) {
    Daemon daemon(options);
    try {
      daemon.start();
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
  fs::path access_path() { return folder.path / "work" / "access.json"; }

  TemporaryFolder folder;
};

TEST_F(DaemonTest, ServesThoseWhoReadItsAccessFile) {
  Daemon daemon(options());
  daemon.start();
  const auto access = read_access(access_path());
  ASSERT_TRUE(access);
  EXPECT_EQ(access->port, daemon.port());
  EXPECT_EQ(fs::status(access_path()).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  Client client(*access);
  EXPECT_EQ(client.get("/ping")["workspace"], daemon.workspace().string());
  client.post("/grids", protocol::to_json(make_grid("g", {1})));
  const Json status = client.get("/status");
  EXPECT_EQ(status["grids"][0]["states"]["ready"], 1);
  EXPECT_EQ(status["launcher"]["workers"], 0);
  EXPECT_EQ(to_json(daemon.status())["grids"], status["grids"]);

  client.post("/shutdown", Json::object());
  daemon.wait();
  EXPECT_FALSE(fs::exists(access_path()));
  EXPECT_EQ(daemon.status().grids.at(0).name, "g");
}

TEST_F(DaemonTest, SecondDaemonOnTheSameWorkspaceIsRefused) {
  Daemon first(options());
  first.start();
  const std::string before = read_file(access_path());
  // The lock is a process's, not an object's, so it is another process that tries.
  const pid_t child = ::fork();
  if (child == 0) {
    Daemon second(options());
    try {
      second.start();
    } catch (const InputError& error) {
      const std::string text = error.what();
      const bool named = text.find(std::to_string(::getppid())) != std::string::npos;
      ::_exit(text.find("in use by another daemon") != std::string::npos && named ? 42 : 1);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 42);
  EXPECT_EQ(read_file(access_path()), before);
}

TEST_F(DaemonTest, AnExportIsRefusedBeforeAnythingIsWritten) {
  {
    Daemon daemon(options());
    daemon.start();
    Client(*read_access(access_path())).post("/grids", protocol::to_json(make_grid("g", {1})));
    daemon.stop();
    daemon.wait();
  }
  DaemonOptions exported = options();
  exported.workspace = folder.path / "export";
  fs::create_directories(exported.workspace);
  write_compact(database_file(options().workspace), database_file(exported.workspace), {1});
  const std::string message = message_of_start(exported);
  EXPECT_THAT(message, HasSubstr("is an export"));
  EXPECT_THAT(message, HasSubstr("name another workspace"));
  for (const auto& each : fs::directory_iterator(exported.workspace)) {
    EXPECT_EQ(each.path().filename(), "remixer.db");
  }
}

TEST_F(DaemonTest, DaemonOfAnotherHostIsRecognised) {
  const Json owner = {{"host", "another-host"},
                      {"pid", 5},
                      {"released", false},
                      {"renewed_seconds", system_clock().wall()}};
  write_file_atomic(folder.path / "work" / "daemon.lock", owner.dump());
  EXPECT_THAT(message_of_start(options()), HasSubstr("process 5 on another-host"));
  Json released = owner;
  released["released"] = true;
  write_file_atomic(folder.path / "work" / "daemon.lock", released.dump());
  EXPECT_EQ(message_of_start(options()), "");
}

TEST_F(DaemonTest, TakenWorkspaceEndsTheDaemon) {
  Daemon daemon(options());
  daemon.start();
  const Json owner = {{"host", "another-host"}, {"pid", 5}, {"released", false}};
  // As another host would write it: into the same file.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  {
    FILE* file = std::fopen((folder.path / "work" / "daemon.lock").c_str(), "w");
    std::fputs(owner.dump().c_str(), file);
    std::fclose(file);
  }
  EXPECT_TRUE(daemon.wait_for(20));
  EXPECT_EQ(Json::parse(read_file(folder.path / "work" / "daemon.lock"))["host"], "another-host");
}

TEST_F(DaemonTest, PortInUseIsRefused) {
  Daemon first(options());
  first.start();
  auto other = options();
  other.workspace = folder.path / "other";
  other.port = first.port();
  EXPECT_THAT(message_of_start(other), HasSubstr(fmt::format("port {} is in use", first.port())));
  EXPECT_FALSE(fs::exists(folder.path / "other" / "access.json"));
}

TEST_F(DaemonTest, AddressThatOthersReachIsServedOverTlsAlone) {
  auto open = options();
  open.address = "0.0.0.0";
  Daemon daemon(open);
  daemon.start();
  EXPECT_EQ(daemon.access().fingerprint.size(), 64u);
}

TEST_F(DaemonTest, WorkspaceThatCannotBeWrittenIsRefused) {
  auto bad = options();
  bad.workspace = "/proc/remixer-workspace";
  EXPECT_THAT(message_of_start(bad), HasSubstr("/proc/remixer-workspace"));
  write_file_atomic(folder.path / "work", "a file");
  EXPECT_FALSE(message_of_start(options()).empty());
}

TEST_F(DaemonTest, FullDiskIsRefusedInOneLine) {
  auto full = options();
  // A file system that holds nothing: every write fails for want of room.
  fs::create_directories(full.workspace);
  for (const char* name : {"datasets", "labels", "models", "runs", "reports", "logs"}) {
    fs::create_directories(full.workspace / name);
  }
  const pid_t child = ::fork();
  if (child == 0) {
    // Files of this process can grow to 4 KiB only; the workspace's own test writes more.
    const struct rlimit limit = {4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);
    const std::string text = message_of_start(full);
    ::_exit(text.find("cannot be written") != std::string::npos &&
                    text.find('\n') == std::string::npos
                ? 42
                : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 42);
}

TEST_F(DaemonTest, ForeignDatabaseIsRefused) {
  write_file_atomic(folder.path / "work" / "remixer.db", std::string(4096, 'x'));
  EXPECT_THAT(message_of_start(options()), HasSubstr("remixer.db"));
}

TEST_F(DaemonTest, MissingWorkerProgramIsRefusedAndLeavesNoAccessFile) {
  auto lacking = options();
  lacking.workers = 1;
  lacking.worker_program = folder.path / "nothing";
  EXPECT_THAT(message_of_start(lacking), HasSubstr("no worker program"));
  EXPECT_FALSE(fs::exists(access_path()));
  EXPECT_EQ(message_of_start(options()), "");
}

TEST_F(DaemonTest, StopLetsAWorkerReleaseItsAttempt) {
  Daemon daemon(options());
  daemon.start();
  Client client(daemon.access());
  client.post("/grids", protocol::to_json(make_grid("g", {1})));
  const std::string worker =
      client.post("/workers", protocol::to_json(make_worker(1)))["worker_id"];
  const auto assignment =
      *protocol::from_json<protocol::ClaimReply>(
           client.post("/claim", protocol::to_json(protocol::Claim{worker, {}})))
           .assignment;
  auto beat = heartbeat_of(assignment, 1);
  client.post("/heartbeat", protocol::to_json(beat));
  daemon.stop();
  std::string order;
  while (order != "stop") {
    ++beat.step;
    order = client.post("/heartbeat", protocol::to_json(beat))["order"];
  }
  EXPECT_FALSE(daemon.wait_for(0));
  EXPECT_EQ(client.post("/result", protocol::to_json(result_of(
                                       assignment, protocol::Ending::kReleased)))["accepted"],
            true);
  EXPECT_TRUE(daemon.wait_for(1.5)) << "before the grace time is over";

  Daemon next(options());
  next.start();
  EXPECT_EQ(next.status().grids.at(0).states.ready, 1);
  EXPECT_EQ(next.status().grace_seconds, 0);
}

// `remixer down` waits for it, and a client that gets no answer tells busy from absent by it.
TEST_F(DaemonTest, WorkspaceIsOwnedAsLongAsItsDaemonLives) {
  const fs::path workspace = options().workspace;
  EXPECT_FALSE(workspace_owned(workspace));
  {
    Daemon daemon(options());
    daemon.start();
    EXPECT_TRUE(workspace_owned(workspace));
    daemon.stop();
    daemon.wait();
    EXPECT_FALSE(workspace_owned(workspace));
  }
  Daemon next(options());
  next.start();
}

TEST_F(DaemonTest, ChildrenInheritNoPort) {
  Daemon daemon(options());
  daemon.start();
  const fs::path log = folder.path / "child.log";
  const pid_t child = start_child({{"/bin/sh", "-c", "ls -l /proc/self/fd"}, {}, {}, log, {}});
  while (!child_ended(child)) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_THAT(read_file(log), ::testing::Not(HasSubstr("socket:")));
}

// After `remixer slurm up` a daemon that listens on this host alone would keep allocations going
// that cannot reach it.
TEST_F(DaemonTest, AllocationsOfADaemonOnAnotherAddressAreNotKeptGoing) {
  write_file_atomic(
      folder.path / "work" / "slurm.json",
      Json{{"wanted", true}, {"site", slurm::to_json(slurm::Site())}, {"listen", "auto"}}.dump());
  Daemon daemon(options());
  daemon.start();
  Client client(daemon.access());
  try {
    client.post("/slurm/resume", Json::object());
    FAIL() << "it was resumed";
  } catch (const experiments::protocol::Refused& refused) {
    EXPECT_EQ(refused.status, 400);
    EXPECT_THAT(refused.what(), HasSubstr("--address auto"));
  }
  EXPECT_EQ(client.get("/slurm")["wanted"], false);
}

TEST_F(DaemonTest, StateFolderCanBeChosen) {
  ::setenv("REMIXER_STATE_FOLDER", (folder.path / "state").c_str(), 1);
  {
    Daemon daemon(options());
    daemon.start();
    EXPECT_EQ(daemon.database(), folder.path / "state" / "remixer.db");
    EXPECT_TRUE(fs::exists(daemon.database()));
  }
  ::unsetenv("REMIXER_STATE_FOLDER");
  EXPECT_EQ(database_file(folder.path), folder.path / "remixer.db");
}

}  // namespace
}  // namespace remixer::coordinator
