// SPDX-License-Identifier: Apache-2.0
// Sends rank 0's heartbeats and metrics while a task runs, on a background thread.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "experiments/protocol/client.h"
#include "experiments/protocol/messages.h"

namespace remixer::worker {

// A connection that finds the daemon again after its restart, by reading the access file anew.
class Connection {
 public:
  explicit Connection(std::filesystem::path access_file);
  // Throws Unreachable (no access file counts as that too) or Refused. Where the daemon that it
  // knew has gone and another one has written the access file meanwhile, that one is asked.
  Json post(const std::string& path, const Json& body);

 private:
  bool daemon_has_changed() const;
  Json post_once(const std::string& path, const Json& body);

  std::filesystem::path access_file_;
  experiments::protocol::Access access_;  // of the client
  std::unique_ptr<experiments::protocol::Client> client_;
};

// What the task should do now.
enum class Verdict {
  kGoOn,
  kStop,       // the daemon or the system asks for a checkpoint and an end
  kAbandon,    // the attempt is not ours any more
  kLeaseOver,  // no heartbeat came through for a lease: checkpoint, stop computing, ask again
};

// Thread-safe: the task's thread calls update() and verdict(), the heartbeat thread is inside.
class Reporter {
 public:
  Reporter(std::filesystem::path access_file, const experiments::protocol::WorkerRegistered& terms,
           const experiments::protocol::Assignment& assignment,
           const Clock& clock = system_clock());
  ~Reporter();

  // What the next heartbeat says.
  void update(int64_t step, int64_t total_steps, const std::string& activity,
              std::vector<experiments::protocol::MetricPoint> metrics = {});
  Verdict verdict() const;
  // After kLeaseOver: asks until the daemon answers. kGoOn: the lease is ours again; kStop, also
  // where no daemon has answered for `patience_seconds`; kAbandon.
  Verdict ask_to_renew(double patience_seconds);
  // Ends the heartbeats; returns metrics that were not sent.
  std::vector<experiments::protocol::MetricPoint> finish();

 private:
  void run();
  void beat();

  const experiments::protocol::WorkerRegistered terms_;
  const Clock& clock_;
  Connection connection_;  // heartbeat thread only
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  experiments::protocol::Heartbeat next_;
  experiments::protocol::Order order_ = experiments::protocol::Order::kContinue;
  double lease_end_;
  bool finished_ = false;
  std::thread thread_;
};

}  // namespace remixer::worker
