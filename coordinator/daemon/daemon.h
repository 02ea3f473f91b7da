// SPDX-License-Identifier: Apache-2.0
// The daemon of one workspace: owns its lock and database, gives tasks to workers, answers over
// HTTP.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/json.h"
#include "coordinator/views/report_source.h"
#include "experiments/protocol/access.h"

namespace remixer::coordinator {

struct DaemonOptions {
  std::filesystem::path workspace = "workspace";  // created where it does not exist
  // Where to listen: see resolve_listen_address. Any but a loopback address brings TLS, under a
  // certificate that is kept in <workspace>/tls.
  std::string address = "127.0.0.1";
  std::string announce;                  // how others reach it; empty: worked out
  uint16_t port = 0;                     // 0: any free one
  double lease_seconds = 30;             // how long an attempt is held without a heartbeat
  double heartbeat_seconds = 1;          // how often workers report
  double stall_seconds = 15 * 60;        // an attempt without progress for so long is ended
  double grace_seconds = 12;             // how long stop() lets workers write checkpoints
  int workers = 0;                       // local workers that start() starts
  int ranks = 1;                         // MPI ranks of each
  std::string device = "auto";           // what they run on: auto, cpu or cuda
  int loader_threads = 0;                // a rank, that read images; 0: the workers decide
  std::filesystem::path worker_program;  // empty: remixer-worker beside this program
  // Called, or posted to, when a grid ends or needs a look (coordinator/daemon/notifier.h); empty:
  // nobody.
  std::filesystem::path notify_command;
  std::string notify_url;
  std::optional<uint64_t> disk_quota;  // bytes of the workspace, kept by collecting garbage
  ReportSource reports{};              // of the dashboard; empty: it shows none
};

// All members are thread-safe; none may be called from a signal handler.
class Daemon {
 public:
  explicit Daemon(DaemonOptions options);
  // Stops as stop_now() does where the daemon still runs.
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Takes the workspace, opens the database, listens, writes the access file, starts the workers.
  // Throws InputError, one line, where the workspace is owned by another daemon, read-only, full or
  // not ours, where the port is in use, or where the address cannot be listened on. Call once.
  void start();

  // Starts `workers` local workers of `ranks` ranks each beside those that run. A daemon started
  // with options.workers = 0 can so be asked first whether there is anything to do.
  void start_workers(int workers, int ranks);

  // Begins an orderly end and returns at once: no more work is given out, workers checkpoint,
  // release their attempts and exit; those that have not after the grace time are ended.
  void stop();
  // Ends at once: local workers are killed, attempts are given out again at the next start.
  void stop_now();
  // Returns when the daemon has ended, after stop(), stop_now() or POST /shutdown.
  void wait();
  // The same, for at most so long; true when it has ended.
  bool wait_for(double seconds);

  // Of a started daemon.
  uint16_t port() const;
  experiments::protocol::Access access() const;
  std::filesystem::path workspace() const;  // absolute
  std::filesystem::path database() const;
  // What GET /status answers (docs/api.md), without the network.
  Json status() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace remixer::coordinator
