// SPDX-License-Identifier: Apache-2.0
#include "coordinator/daemon/notifier.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/child_process.h"
#include "base/clock.h"
#include "base/error.h"
#include "coordinator/daemon/webhook.h"
#include "coordinator/engine/garbage_collection.h"

namespace remixer::coordinator {

namespace fs = std::filesystem;

namespace {

constexpr double kLongestPause = 3600;

// Attempts to deliver a notice, and the time of the next one.
struct Tries {
  int count = 0;
  double next = 0;
  bool command_done = false, url_done = false;
};

}  // namespace

struct Notifier::Parts {
  Engine& engine;
  NotifierOptions options;
  std::optional<WebAddress> address;
  std::mutex mutex;
  std::condition_variable changed;
  bool ending = false;
  std::map<int64_t, Tries> tries;
  std::thread thread;

  double now() const { return system_clock().monotonic(); }

  // Returns false when the notifier is to end.
  bool wait(double seconds) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::duration<double>(seconds), [&] { return ending; });
    return !ending;
  }

  void say(const std::string& text) const {
    if (options.report) options.report(text);
  }

  void run() {
    double collect_at = now();
    do {
      try {
        for (const PutNotice& notice : engine.notices()) tell(notice);
        if (options.quota && now() >= collect_at) {
          collect_at = now() + options.collect_seconds;
          collect();
        }
      } catch (const std::exception& error) {
        say(error.what());
      }
    } while (wait(options.look_seconds));
  }

  void tell(const PutNotice& notice) {
    Tries& tried = tries[notice.id];
    if (now() < tried.next) return;
    try {
      if (!options.command.empty() && !tried.command_done) call(notice);
      tried.command_done = true;
      if (address && !tried.url_done) post_json(*address, notice.body, options.timeout_seconds);
      tried.url_done = true;
    } catch (const std::exception& error) {
      const double pause = std::min(
          kLongestPause, options.first_pause_seconds * double(1 << std::min(tried.count, 20)));
      ++tried.count;
      tried.next = now() + pause;
      if (system_clock().wall() - notice.wall < options.give_up_seconds) {
        say(fmt::format("the owner could not be told that grid {} is '{}': {}; tried again in {}",
                        notice.grid_id, notice.event, error.what(), duration_text(pause)));
        return;
      }
      say(fmt::format("given up telling the owner that grid {} is '{}': {}", notice.grid_id,
                      notice.event, error.what()));
    }
    engine.notice_taken(notice.id);
    tries.erase(notice.id);
  }

  void call(const PutNotice& notice) {
    const Json body = Json::parse(notice.body);
    const std::string grid = body.value("grid", std::string());
    Command command;
    command.arguments = {options.command.string(), notice.event, grid};
    command.environment = {{"REMIXER_NOTICE", notice.body},
                           {"REMIXER_EVENT", notice.event},
                           {"REMIXER_GRID", grid},
                           {"REMIXER_GRID_ID", std::to_string(notice.grid_id)}};
    command.log = options.log;
    const pid_t child = start_child(command);
    const double until = now() + options.timeout_seconds;
    for (;;) {
      if (const auto code = child_ended(child)) {
        if (*code != 0) fail("{} ended with {}", options.command.string(), *code);
        return;
      }
      if (now() > until || !wait(0.05)) break;
    }
    kill_session(child);
    while (!child_ended(child)) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    fail("{} did not end within {}", options.command.string(),
         duration_text(options.timeout_seconds));
  }

  void collect() {
    CollectOptions wanted;
    wanted.quota = options.quota;
    const Collected collected = collect_garbage(engine, wanted);
    if (collected.items.empty()) return;
    say(fmt::format("quota: {} files and folders were deleted, {} bytes of {}",
                    collected.items.size(), collected.freed_bytes, collected.used_bytes));
  }
};

Notifier::Notifier(Engine& engine, NotifierOptions options)
    : parts_(new Parts{engine, std::move(options), {}, {}, {}, false, {}, {}}) {
  NotifierOptions& given = parts_->options;
  if (!given.command.empty()) {
    if (!given.command.has_parent_path()) given.command = find_program(given.command.string());
    if (given.command.empty() || ::access(given.command.c_str(), X_OK) != 0 ||
        fs::is_directory(given.command)) {
      fail_input("the command for notices is not a program that can be run: '{}'",
                 given.command.string());
    }
    given.command = fs::absolute(given.command);
  }
  if (!given.url.empty()) parts_->address = parse_web_address(given.url);
  parts_->thread = std::thread([this] { parts_->run(); });
}

Notifier::~Notifier() {
  {
    std::lock_guard lock(parts_->mutex);
    parts_->ending = true;
  }
  parts_->changed.notify_all();
  parts_->thread.join();
}

}  // namespace remixer::coordinator
