// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/file_deleter.h"

#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace remixer::coordinator {

namespace fs = std::filesystem;

namespace {

// Inside the workspace, so that moving a file there is a single rename.
constexpr const char* kTrash = "runs/.trash";

}  // namespace

struct FileDeleter::Parts {
  fs::path workspace;
  std::mutex mutex;
  std::condition_variable wake;
  bool work = true;  // true at start: delete what an earlier process left
  bool ending = false;
  int64_t number = 0;
  struct Job {
    std::vector<std::string> paths;
    std::function<void()> then;
  };
  std::deque<Job> jobs;
  int64_t queued = 0, finished = 0;  // jobs
  std::condition_variable progress;
  std::thread thread;

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return ending || work || !jobs.empty(); });
      if (!jobs.empty()) {
        const Job job = std::move(jobs.front());
        jobs.pop_front();
        work = true;
        lock.unlock();
        for (const std::string& path : job.paths) take_away(path);
        job.then();
        lock.lock();
        ++finished;
        progress.notify_all();
        continue;
      }
      if (!work) return;
      work = false;
      lock.unlock();
      empty_trash();
      lock.lock();
    }
  }

  void take_away(const std::string& path) {
    std::error_code code;
    fs::create_directories(workspace / kTrash, code);
    int64_t mine = 0;
    {
      std::lock_guard guard(mutex);
      mine = ++number;
    }
    const fs::path to = workspace / kTrash / fmt::format("{}-{}", ::getpid(), mine);
    fs::remove_all(to, code);
    fs::rename(workspace / path, to, code);
  }

  void empty_trash() const {
    std::error_code code;
    std::vector<fs::path> found;
    for (fs::directory_iterator each(workspace / kTrash, code), end; !code && each != end;
         each.increment(code)) {
      found.push_back(each->path());
    }
    for (const fs::path& path : found) fs::remove_all(path, code);
  }
};

FileDeleter::FileDeleter(fs::path workspace) : parts_(std::make_unique<Parts>()) {
  parts_->workspace = std::move(workspace);
  parts_->thread = std::thread([this] { parts_->run(); });
}

FileDeleter::~FileDeleter() {
  {
    std::lock_guard lock(parts_->mutex);
    parts_->ending = true;
  }
  parts_->wake.notify_one();
  parts_->thread.join();
}

void FileDeleter::remove(const std::string& path) {
  parts_->take_away(path);
  {
    std::lock_guard lock(parts_->mutex);
    parts_->work = true;
  }
  parts_->wake.notify_one();
}

void FileDeleter::remove_soon(std::vector<std::string> paths, std::function<void()> then) {
  {
    std::lock_guard lock(parts_->mutex);
    parts_->jobs.push_back({std::move(paths), std::move(then)});
    ++parts_->queued;
  }
  parts_->wake.notify_one();
}

void FileDeleter::wait() {
  std::unique_lock lock(parts_->mutex);
  const int64_t last = parts_->queued;
  parts_->progress.wait(lock, [&] { return parts_->finished >= last; });
}

}  // namespace remixer::coordinator
