#include "coordinator/engine/janitor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace remixer::coordinator {

namespace fs = std::filesystem;

namespace {

// Inside the workspace, so that taking something out of its place is one rename.
constexpr const char* kTrash = "runs/.trash";

}  // namespace

struct Janitor::Parts {
  fs::path workspace;
  std::mutex mutex;
  std::condition_variable wake;
  bool work = true;  // also what an earlier life left
  bool ending = false;
  int64_t number = 0;
  std::thread thread;

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return ending || work; });
      if (!work) return;
      work = false;
      lock.unlock();
      empty_trash();
      lock.lock();
    }
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

Janitor::Janitor(fs::path workspace) : parts_(std::make_unique<Parts>()) {
  parts_->workspace = std::move(workspace);
  parts_->thread = std::thread([this] { parts_->run(); });
}

Janitor::~Janitor() {
  {
    std::lock_guard lock(parts_->mutex);
    parts_->ending = true;
  }
  parts_->wake.notify_one();
  parts_->thread.join();
}

void Janitor::remove(const std::string& path) {
  std::error_code code;
  fs::create_directories(parts_->workspace / kTrash, code);
  {
    std::lock_guard lock(parts_->mutex);
    const fs::path to =
        parts_->workspace / kTrash / fmt::format("{}-{}", ::getpid(), ++parts_->number);
    fs::remove_all(to, code);
    fs::rename(parts_->workspace / path, to, code);
    parts_->work = true;
  }
  parts_->wake.notify_one();
}

}  // namespace remixer::coordinator
