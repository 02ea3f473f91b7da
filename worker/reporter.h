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

// A connection that rereads the access file to find the daemon again after a restart.
class Connection {
 public:
  explicit Connection(std::filesystem::path access_file);
  // Throws Unreachable (also if there is no access file) or Refused. If the known daemon has gone
  // and another one has written the access file since, sends the request to that one.
  Json post(const std::string& path, const Json& body);

 private:
  bool daemon_has_changed() const;
  Json post_once(const std::string& path, const Json& body);

  std::filesystem::path access_file_;
  experiments::protocol::Access access_;  // of the client
  std::unique_ptr<experiments::protocol::Client> client_;
};

// What the task should do next.
enum class Verdict {
  kGoOn,
  kStop,       // the daemon or the system asks for a checkpoint and exit
  kAbandon,    // the attempt no longer belongs to this worker
  kLeaseOver,  // no heartbeat succeeded for a whole lease: checkpoint, stop computing, ask again
};

// Thread-safe: the task's thread calls update() and verdict(); the heartbeat thread is internal.
class Reporter {
 public:
  Reporter(std::filesystem::path access_file, const experiments::protocol::WorkerRegistered& terms,
           const experiments::protocol::Assignment& assignment,
           const Clock& clock = system_clock());
  ~Reporter();

  // Sets the content of the next heartbeat.
  void update(int64_t step, int64_t total_steps, const std::string& activity,
              std::vector<experiments::protocol::MetricPoint> metrics = {});
  Verdict verdict() const;
  // After kLeaseOver: asks until the daemon answers. kGoOn: the lease is renewed; kStop, also if no
  // daemon has answered for `patience_seconds`; kAbandon.
  Verdict ask_to_renew(double patience_seconds);
  // Stops the heartbeats; returns metrics that were not sent.
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
