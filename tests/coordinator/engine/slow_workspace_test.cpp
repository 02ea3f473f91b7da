// SPDX-License-Identifier: Apache-2.0
// A workspace on a network file system whose every call takes its time: the scheduler's thread
// makes none of them, so nobody else waits.
//
// The file system's functions are this program's own here: they look who calls, wait, and go on to
// the system's. The C++ library's calls come by here as well.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdarg>
#include <cstring>
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include "base/file.h"
#include "coordinator/engine/adopt.h"
#include "coordinator/engine/garbage_collection.h"
#include "tests/coordinator/support.h"

namespace {

std::atomic<const char*> slow_folder{nullptr};  // paths that begin so are slow
std::atomic<pid_t> scheduler{0};                // the thread that must make no such call
std::atomic<int> calls{0};
std::atomic<int> microseconds{0};
std::mutex seen_mutex;
std::set<std::string> seen;  // what the scheduler's thread has called

void pass(const char* what, const char* path) {
  const char* folder = slow_folder;
  if (!folder || !path || std::strncmp(path, folder, std::strlen(folder)) != 0) return;
  ++calls;
  if (::gettid() == scheduler) {
    const std::lock_guard lock(seen_mutex);
    seen.insert(std::string(what) + " " + path);
  }
  std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int lstat(const char* path, struct stat* about) noexcept {
  static auto* const real = next<int(const char*, struct stat*)>("lstat");
  pass("lstat", path);
  return real(path, about);
}
int stat(const char* path, struct stat* about) noexcept {
  static auto* const real = next<int(const char*, struct stat*)>("stat");
  pass("stat", path);
  return real(path, about);
}
int open(const char* path, int flags, ...) {
  static auto* const real = next<int(const char*, int, ...)>("open");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  pass("open", path);
  return real(path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  static auto* const real = next<int(int, const char*, int, ...)>("openat");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  pass("openat", path);
  return real(folder, path, flags, mode);
}
int mkdir(const char* path, mode_t mode) noexcept {
  static auto* const real = next<int(const char*, mode_t)>("mkdir");
  pass("mkdir", path);
  return real(path, mode);
}
int rename(const char* from, const char* to) noexcept {
  static auto* const real = next<int(const char*, const char*)>("rename");
  pass("rename", from);
  return real(from, to);
}
int unlinkat(int folder, const char* path, int flags) noexcept {
  static auto* const real = next<int(int, const char*, int)>("unlinkat");
  pass("unlinkat", path);
  return real(folder, path, flags);
}
int remove(const char* path) noexcept {
  static auto* const real = next<int(const char*)>("remove");
  pass("remove", path);
  return real(path);
}

}  // extern "C"

namespace remixer::coordinator {
namespace {

using namespace testing;
using Time = std::chrono::steady_clock;

double seconds_since(Time::time_point begun) {
  return std::chrono::duration<double>(Time::now() - begun).count();
}

class SlowWorkspaceTest : public ::testing::Test {
 protected:
  SlowWorkspaceTest() {
    Settings settings;
    settings.workspace = folder.path.string();
    settings.backoff_seconds = settings.loss_backoff_seconds = 0;
    // The database has a disk of its own.
    engine = std::make_unique<Engine>(
        Engine::Options{folder.path, state_folder.path / "remixer.db", settings});
    engine->query([](const Engine::View&) { scheduler = ::gettid(); });
    worker = engine->register_worker(make_worker(1)).worker_id;
    name = folder.path.string() + "/";
    slow_folder = name.c_str();
    microseconds = 0;
    calls = 0;
    seen.clear();
  }
  ~SlowWorkspaceTest() override {
    engine.reset();
    slow_folder = nullptr;
    scheduler = 0;
  }

  // Makes everything that is to be done, each with a file that its result names.
  void work() {
    for (;;) {
      const auto claimed = engine->claim({worker, {}}).assignment;
      if (!claimed) return;
      auto result = result_of(*claimed);
      if (claimed->task.kind == TaskKind::kPrepare) {
        write_file_atomic(folder.path / claimed->folder / "out" / "data.bin", "bytes");
        result.result = {{"folder", "datasets/x"}};
        result.publish = {{claimed->folder + "/out", "datasets/x"}};
      } else {
        write_file_atomic(folder.path / claimed->folder / "model.safetensors", "bytes");
        result.result = {{"model", claimed->folder + "/model.safetensors"}};
      }
      ASSERT_TRUE(engine->result(result).accepted);
    }
  }

  TemporaryFolder folder, state_folder;
  std::string name;  // of the slow folder, kept for the functions above
  std::unique_ptr<Engine> engine;
  std::string worker;
};

TEST_F(SlowWorkspaceTest, TheSchedulersThreadNeverTouchesIt) {
  const auto grid = make_grid("g", {1, 2, 3});
  const int64_t id = engine->submit(grid).grid_id;
  work();
  const int before = calls;
  EXPECT_EQ(engine->submit(grid).tasks_reused, 10);
  EXPECT_GT(calls, before) << "somebody must have looked for the files";
  fs::remove(folder.path / "runs" / grid.tasks[1].id() / "1" / "model.safetensors");
  EXPECT_EQ(engine->retry_grid(id), 1);
  work();
  EXPECT_THROW(engine->retry_task(grid.tasks[4].id()), Conflict);
  collect_garbage(*engine, {});
  engine->tick();
  engine->remove_task(grid.tasks[4].id());
  adopt_results(*engine, id);
  engine->remove_grid(id);
  const std::lock_guard lock(seen_mutex);
  EXPECT_EQ(seen, std::set<std::string>());
}

TEST_F(SlowWorkspaceTest, HeartbeatsDoNotWaitForASubmit) {
  std::vector<int64_t> seeds;
  for (int64_t seed = 1; seed <= 100; ++seed) seeds.push_back(seed);
  const auto grid = make_grid("g", seeds);
  engine->submit(grid);
  work();
  const auto other = make_grid("other", {1000});
  engine->submit(other);
  const auto assignment = engine->claim({worker, {}}).assignment.value();
  microseconds = 10000;
  const auto begun = Time::now();
  auto submit = std::async(std::launch::async, [&] { return engine->submit(grid); });
  double longest = 0;
  int64_t step = 0;
  while (submit.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
    const auto asked = Time::now();
    engine->heartbeat(heartbeat_of(assignment, ++step));
    longest = std::max(longest, seconds_since(asked));
  }
  const double whole = seconds_since(begun);
  microseconds = 0;
  EXPECT_EQ(submit.get().tasks_reused, 301);
  EXPECT_GT(whole, 1) << "a hundred models and more, at 10 ms each";
  EXPECT_LT(longest, whole / 2);
  EXPECT_GT(step, 3);
}

}  // namespace
}  // namespace remixer::coordinator
