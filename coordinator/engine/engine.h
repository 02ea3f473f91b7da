// SPDX-License-Identifier: Apache-2.0
// The thread that owns the scheduler's state and the store. Everyone else asks it.
//
// Events that wait are taken together, stepped, stored in one transaction, and only then answered
// (group commit), so an answer that was given is on the disk. The workspace may be on a network
// file system whose calls take as long as they like: the thread makes none. What an event needs
// from there the caller's thread looks up before, and moves or deletes before or after.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "coordinator/scheduler/step.h"
#include "coordinator/store/store.h"

namespace remixer::coordinator {

// The database cannot be written at the moment, or the daemon is ending (HTTP 503). Nothing of what
// was asked for has happened; it may be asked again.
class Unavailable : public Error {
 public:
  using Error::Error;
};

// All members are thread-safe. Each call returns when what it answers is durable; all throw
// InputError, NotFound, Conflict (as step() does) or Unavailable.
class Engine {
 public:
  struct Options {
    std::filesystem::path workspace;  // absolute
    std::filesystem::path database;
    Settings settings;
    const Clock* clock = &system_clock();
    bool adopt = false;  // see pair_workspace()
  };
  // Opens the store, proves that it is the workspace's own and starts the thread. Throws as Store
  // and pair_workspace() do.
  explicit Engine(Options options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  experiments::protocol::GridSubmitted submit(const experiments::protocol::SubmitGrid& grid);
  // The same, made ready before: large grids are read piece by piece (prepare_grid).
  experiments::protocol::GridSubmitted submit(PreparedGrid grid);
  experiments::protocol::WorkerRegistered register_worker(
      experiments::protocol::RegisterWorker worker);
  // A result that comes along is taken first, as result() takes it.
  experiments::protocol::ClaimReply claim(experiments::protocol::Claim claim);
  experiments::protocol::HeartbeatReply heartbeat(experiments::protocol::Heartbeat heartbeat);
  // An accepted result's publications are in place when this returns.
  experiments::protocol::ResultReply result(experiments::protocol::AttemptResult result);
  // Each returns how many tasks it changed.
  int64_t cancel_task(const std::string& id);
  int64_t cancel_grid(int64_t id);
  int64_t retry_task(const std::string& id);
  int64_t retry_grid(int64_t id);
  // Their files are out of their places when this returns; their bytes are freed soon after.
  int64_t remove_task(const std::string& id);
  int64_t remove_grid(int64_t id);
  // How many of the grid's tasks run.
  int64_t pause_grid(int64_t id, Pause pause);
  void configure_grid(int64_t id, const GridSettings& settings);
  // A worker that a launcher knows to have ended, as WorkerGoneEvent says.
  void worker_gone(const std::string& worker_id, const std::string& why, bool counts);

  // What the owner was not told yet, oldest first; taken ones are not listed again.
  std::vector<PutNotice> notices() const;
  void notice_taken(int64_t id);
  // From now on workers are asked to stop and to exit.
  void shutdown();
  // Lets leases end, attempts stall, and workers be gone whose process on this host has ended.
  void tick();

  std::filesystem::path workspace() const;
  // Takes a file or folder of the workspace out of its place, in the caller's thread; its bytes are
  // freed later. The caller sees to it that nothing needs it.
  void discard(const std::string& path);
  // While this object lives the task is given to no worker, so that its files can be deleted.
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
  // A finished result that was read back from the workspace, as AdoptEvent says.
  experiments::protocol::ResultReply adopt(const std::string& worker_id,
                                           experiments::protocol::AttemptResult result);

  // What a query may look at; valid during the call only.
  struct View {
    const State& state;
    const Store& store;
    const Settings& settings;
    Now now;
  };
  // Runs `question` in the engine's thread, on committed state, and returns its answer.
  Json query(std::function<Json(const View&)> question) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace remixer::coordinator
