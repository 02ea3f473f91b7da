// SPDX-License-Identifier: Apache-2.0
// The daemon of one workspace: owns its lock and database, gives tasks to workers, serves the HTTP
// API.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "coordinator/views/report_source.h"
#include "experiments/protocol/access.h"
#include "experiments/protocol/answers.h"

namespace remixer::coordinator {

struct DaemonOptions {
  std::filesystem::path workspace = "workspace";  // created if it does not exist
  // Listen address: see resolve_listen_address. Any address other than loopback uses TLS, with a
  // certificate stored in <workspace>/tls.
  std::string address = "127.0.0.1";
  std::string announce;                  // how others reach it; empty: determined
  uint16_t port = 0;                     // 0: any free one
  double lease_seconds = 30;             // how long an attempt is kept without a heartbeat
  double heartbeat_seconds = 1;          // interval of the workers' reports
  double stall_seconds = 15 * 60;        // an attempt without progress for this long is ended
  double grace_seconds = 12;             // how long stop() lets workers write checkpoints
  int workers = 0;                       // local workers that start() starts
  int ranks = 1;                         // MPI ranks of each
  std::string device = "auto";           // device that they use: auto, cpu or cuda
  int loader_threads = 0;                // image-reading threads per rank; 0: the workers decide
  std::filesystem::path worker_program;  // empty: remixer-worker beside this program
  // Called, or posted to, when a grid ends or needs attention (coordinator/daemon/notifier.h);
  // empty: no notification.
  std::filesystem::path notify_command;
  std::string notify_url;
  std::optional<int64_t> disk_quota;  // bytes of the workspace, enforced by garbage collection
  ReportSource reports{};             // for the dashboard; empty: it shows none
};

// All members are thread-safe; none may be called from a signal handler.
class Daemon {
 public:
  explicit Daemon(DaemonOptions options);
  // Stops as stop_now() does if the daemon still runs.
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Locks the workspace, opens the database, listens, writes the access file, starts the workers.
  // Throws InputError, one line, if the workspace is owned by another daemon, read-only, full or
  // not ours, if the port is in use, or if it cannot listen on the address. Call once.
  void start();

  // Starts `workers` more local workers of `ranks` ranks each. A daemon started with
  // options.workers = 0 can thus first be asked whether there is anything to do.
  void start_workers(int workers, int ranks);

  // Begins an orderly shutdown and returns at once: no more work is given out; workers checkpoint,
  // release their attempts and exit; workers that have not by the end of the grace time are killed.
  void stop();
  // Ends at once: kills local workers; their attempts are given out again at the next start.
  void stop_now();
  // Returns once the daemon has ended, after stop(), stop_now() or POST /shutdown.
  void wait();
  // Same, with a timeout; returns true if it has ended.
  bool wait_for(double seconds);

  // Only after start().
  uint16_t port() const;
  experiments::protocol::Access access() const;
  std::filesystem::path workspace() const;  // absolute
  std::filesystem::path database() const;
  // The answer of GET /status (docs/api.md), without the network.
  experiments::protocol::answers::Status status() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace remixer::coordinator
