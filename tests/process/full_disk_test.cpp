// SPDX-License-Identifier: Apache-2.0
// Workspace and database on two small file systems, each filled and freed again at random while a
// real grid runs: nothing fails, nothing is counted, and every figure is an undisturbed run's.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <set>

#include "base/error.h"
#include "tests/process/grid_run.h"

namespace remixer::testing {
namespace {

constexpr int kEpochs = 20;
constexpr double kDisturbedSeconds = 60;  // then there is room
constexpr double kPatience = 240;         // until it must be done

// A file system of a few megabytes in memory.
class SmallDisk {
 public:
  // Nothing where this machine lets nobody mount one; `why` then says what the system said.
  static std::unique_ptr<SmallDisk> make(const fs::path& at, int megabytes, std::string& why) {
    fs::create_directories(at);
    const std::string size = fmt::format("size={}m", megabytes);
    if (::mount("tmpfs", at.c_str(), "tmpfs", 0, size.c_str()) != 0) {
      why = errno_text(errno);
      return nullptr;
    }
    return std::unique_ptr<SmallDisk>(new SmallDisk(at));
  }
  ~SmallDisk() { ::umount2(path_.c_str(), MNT_DETACH); }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  // Leaves no byte.
  void fill() const {
    const int file = ::open(filler().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const std::string piece(64 << 10, 'x');
    ssize_t written = 1;
    for (size_t size = piece.size(); size > 0; size = written > 0 ? size : size / 2) {
      written = ::write(file, piece.data(), size);
    }
    ::close(file);
  }
  void free() const {
    std::error_code ignored;
    fs::remove(filler(), ignored);
  }

 private:
  explicit SmallDisk(fs::path path) : path_(std::move(path)) {}
  fs::path filler() const { return path_ / "filler"; }
  fs::path path_;
};

TEST(FullDiskTest, IsWaitedForAndChangesNoFigure) {
  const auto given = static_cast<const char*>(std::getenv("REMIXER_CHAOS_SEED"));
  std::mt19937 random(given ? static_cast<unsigned>(std::stoul(given)) : 1);
  const std::string grid = small_grid(kEpochs);
  ScratchFolder undisturbed("full-whole"), folder("full");
  const fs::path workspace = folder / "workspace", state = folder / "state";
  std::string why;
  const auto workspace_disk = SmallDisk::make(workspace, 96, why);
  const auto state_disk = workspace_disk ? SmallDisk::make(state, 24, why) : nullptr;
  if (!state_disk) GTEST_SKIP() << "no file system can be mounted here: " << why;

  const auto whole = run_program(run_command(undisturbed, grid), undisturbed.path(), 250);
  ASSERT_EQ(whole.code, 0) << whole.errors;

  ::setenv("REMIXER_STATE_FOLDER", state.c_str(), 1);
  write_file_atomic(folder / "small.toml", grid);
  std::unique_ptr<Program> daemon;
  int lives = 0;
  const auto keep_alive = [&] {
    if (daemon && daemon->running()) return;
    ++lives;
    fs::remove(workspace / "access.json");
    daemon = std::make_unique<Program>(
        std::vector<std::string>{program("remixer"), "--workspace", workspace.string(), "up",
                                 "--workers", "1", "--ranks", "2"},
        folder.path());
    eventually([&] { return fs::exists(workspace / "access.json") || !daemon->running(); });
  };
  keep_alive();
  const auto submitted = run_program({program("remixer"), "--workspace", workspace.string(),
                                      "submit", (folder / "small.toml").string()},
                                     folder.path(), 60);
  ASSERT_EQ(submitted.code, 0) << submitted.errors;
  const auto all_done = [&] {
    return count(state, "SELECT count(*) FROM task WHERE state != 'done'") == 0;
  };
  const auto start = std::chrono::steady_clock::now();
  const auto passed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const auto pause = [&](unsigned least, unsigned most) {
    std::this_thread::sleep_for(std::chrono::milliseconds(least + random() % (most - least)));
  };
  std::set<const SmallDisk*> filled;
  int times = 0;
  while (!all_done() && passed() < kDisturbedSeconds) {
    pause(500, 3000);
    const bool both = random() % 4 == 0;
    for (const SmallDisk* disk : {workspace_disk.get(), state_disk.get()}) {
      if (!both && random() % 2 == 0) continue;
      disk->fill();
      filled.insert(disk);
      ++times;
    }
    pause(1000, 5000);
    workspace_disk->free();
    state_disk->free();
    keep_alive();
  }
  EXPECT_TRUE(eventually(
      [&] {
        keep_alive();
        pause(500, 1000);
        return all_done();
      },
      kPatience))
      << daemon->errors() << read_file_if_exists(workspace / "logs/daemon.log").value_or("");
  fmt::print("{} times full, {} lives of the daemon, done after {:.0f} s\n", times, lives,
             passed());
  EXPECT_EQ(filled.size(), 2u) << "the grid was done before both were full";
  EXPECT_EQ(figures(state), figures(undisturbed / "workspace"));
  EXPECT_EQ(count(state, "SELECT count(*) FROM task WHERE failures > 0"), 0);
  daemon->signal(SIGTERM);
  eventually([&] { return !daemon->running(); });
  daemon.reset();
  ::unsetenv("REMIXER_STATE_FOLDER");
}

}  // namespace
}  // namespace remixer::testing
