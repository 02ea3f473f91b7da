// SPDX-License-Identifier: Apache-2.0
// The thread that owns the scheduler's state and the store; all other threads send it requests.
//
// Waiting events are processed as a batch: stepped, stored in one transaction, and only then
// answered (group commit), so every answer given is on disk. The workspace may be on a network file
// system with arbitrarily slow calls, so this thread never accesses it. The caller's thread looks
// up what an event needs from there beforehand, and moves or deletes files before or after it.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "base/clock.h"
#include "coordinator/scheduler/step.h"
#include "coordinator/store/store.h"

namespace remixer::coordinator {

// The database cannot be written at the moment, or the daemon is ending (HTTP 503). The request has
// had no effect; it may be retried.
class Unavailable : public Error {
 public:
  using Error::Error;
};

// All members are thread-safe. Each call returns when its answer is durable; all throw InputError,
// NotFound, Conflict (as step() does) or Unavailable.
class Engine {
 public:
  struct Options {
    std::filesystem::path workspace;  // absolute
    std::filesystem::path database;
    Settings settings;
    const Clock* clock = &system_clock();
    bool adopt = false;  // see pair_workspace()
  };
  // Opens the store, checks that it belongs to the workspace and starts the thread. Throws as Store
  // and pair_workspace() do.
  explicit Engine(Options options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  experiments::protocol::GridSubmitted submit(const experiments::protocol::SubmitGrid& grid);
  // Same for a prepared grid: large grids are read piece by piece (prepare_grid).
  experiments::protocol::GridSubmitted submit(PreparedGrid grid);
  experiments::protocol::WorkerRegistered register_worker(
      experiments::protocol::RegisterWorker worker);
  // An attached result is taken first, as by result().
  experiments::protocol::ClaimReply claim(experiments::protocol::Claim claim);
  experiments::protocol::HeartbeatReply heartbeat(experiments::protocol::Heartbeat heartbeat);
  // An accepted result's publications are in place when this returns.
  experiments::protocol::ResultReply result(experiments::protocol::AttemptResult result);
  // Each returns the number of changed tasks.
  int64_t cancel_task(const std::string& id);
  int64_t cancel_grid(int64_t id);
  int64_t retry_task(const std::string& id);
  int64_t retry_grid(int64_t id);
  // Their files have been moved to the trash when this returns; disk space is freed soon after.
  int64_t remove_task(const std::string& id);
  int64_t remove_grid(int64_t id);
  // Returns the number of the grid's running tasks.
  int64_t pause_grid(int64_t id, Pause pause);
  void configure_grid(int64_t id, const GridSettings& settings);
  // For a worker that a launcher knows to have ended, see WorkerGoneEvent.
  void worker_gone(const std::string& worker_id, const std::string& why, bool counts);

  // Notices that the owner has not received yet, oldest first; those taken are not listed again.
  std::vector<PutNotice> notices() const;
  void notice_taken(int64_t id);
  // From now on workers are asked to stop and exit.
  void shutdown();
  // Expires leases, ends stalled attempts, detects workers whose process on this host is gone.
  void tick();

  std::filesystem::path workspace() const;
  // Moves a file or folder of the workspace to the trash, in the caller's thread; disk space is
  // freed later. The caller makes sure that nothing needs it.
  void discard(const std::string& path);
  // While this object exists, no worker gets the task, so that its files can be deleted.
  class Unclaimed {
   public:
    Unclaimed(Engine& engine, std::string task_id);
    ~Unclaimed();
    Unclaimed(const Unclaimed&) = delete;
    Unclaimed& operator=(const Unclaimed&) = delete;

   private:
    Engine& engine_;
    std::string task_id_;
  };
  // Commits a finished result restored from the workspace, see AdoptEvent.
  experiments::protocol::ResultReply adopt(const std::string& worker_id,
                                           experiments::protocol::AttemptResult result);

  // What a query may read; valid only during the call.
  struct View {
    const State& state;
    const Store& store;
    const Settings& settings;
    Now now;
  };
  // Runs `question` on the engine's thread, on committed state, and returns its answer, which must
  // not refer to the view.
  template <typename Question>
  auto query(Question&& question) const {
    using Answer = std::decay_t<std::invoke_result_t<Question, const View&>>;
    if constexpr (std::is_void_v<Answer>) {
      ask(std::forward<Question>(question));
    } else {
      std::optional<Answer> answer;
      ask([&](const View& view) { answer.emplace(question(view)); });
      return Answer(*std::move(answer));
    }
  }

 private:
  void ask(std::function<void(const View&)> question) const;

  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace remixer::coordinator
