// SPDX-License-Identifier: Apache-2.0
#include "worker/reporter.h"

#include <spdlog/spdlog.h>

#include <chrono>

#include "worker/stop_signal.h"

namespace remixer::worker {

using namespace experiments::protocol;

Connection::Connection(std::filesystem::path access_file) : access_file_(std::move(access_file)) {}

Json Connection::post(const std::string& path, const Json& body) {
  if (client_) {
    try {
      return post_once(path, body);
    } catch (const Unreachable&) {
      if (!daemon_has_changed()) throw;
    } catch (const Refused& refused) {
      if (refused.status != 401 || !daemon_has_changed()) throw;
    }
  }
  return post_once(path, body);
}

bool Connection::daemon_has_changed() const {
  const auto access = read_access(access_file_);
  return access && (access->token != access_.token || access->port != access_.port ||
                    access->address != access_.address);
}

Json Connection::post_once(const std::string& path, const Json& body) {
  if (!client_) {
    auto access = read_access(access_file_);
    if (!access) {
      throw Unreachable(fmt::format("no daemon has written {}", access_file_.string()));
    }
    access_ = *access;
    client_ = std::make_unique<Client>(std::move(*access));
  }
  try {
    return client_->post(path, body);
  } catch (const Unreachable&) {
    client_.reset();  // a new daemon has a new port and token
    throw;
  } catch (const Refused& refused) {
    if (refused.status == 401) client_.reset();
    // The daemon is up but cannot answer now: its disk is full, or it is ending.
    if (refused.status == 503) throw Unreachable(refused.what());
    throw;
  }
}

Reporter::Reporter(std::filesystem::path access_file, const WorkerRegistered& terms,
                   const Assignment& assignment, const Clock& clock)
    : terms_(terms),
      clock_(clock),
      connection_(std::move(access_file)),
      lease_end_(clock.monotonic() + terms.lease_seconds) {
  next_.worker_id = terms.worker_id;
  next_.task_id = assignment.task_id;
  next_.attempt = assignment.attempt;
  next_.fence = assignment.fence;
  thread_ = std::thread([this] { run(); });
}

Reporter::~Reporter() {
  finish();
}

void Reporter::update(int64_t step, int64_t total_steps, const std::string& activity,
                      std::vector<MetricPoint> metrics) {
  std::lock_guard lock(mutex_);
  next_.step = step;
  next_.total_steps = total_steps;
  next_.activity = activity;
  next_.metrics.insert(next_.metrics.end(), std::make_move_iterator(metrics.begin()),
                       std::make_move_iterator(metrics.end()));
}

Verdict Reporter::verdict() const {
  std::lock_guard lock(mutex_);
  if (order_ == Order::kAbandon) return Verdict::kAbandon;
  if (order_ == Order::kStop || stop_signalled()) return Verdict::kStop;
  return clock_.monotonic() >= lease_end_ ? Verdict::kLeaseOver : Verdict::kGoOn;
}

Verdict Reporter::ask_to_renew(double patience_seconds) {
  const double until = clock_.monotonic() + patience_seconds;
  for (;;) {
    const Verdict now = verdict();
    if (now != Verdict::kLeaseOver) return now;
    if (clock_.monotonic() > until) return Verdict::kStop;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

std::vector<MetricPoint> Reporter::finish() {
  {
    std::lock_guard lock(mutex_);
    finished_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  return std::exchange(next_.metrics, {});
}

void Reporter::run() {
  std::unique_lock lock(mutex_);
  while (!finished_) {
    wake_.wait_for(lock, std::chrono::duration<double>(terms_.heartbeat_seconds),
                   [this] { return finished_; });
    if (finished_) return;
    lock.unlock();
    beat();
    lock.lock();
  }
}

void Reporter::beat() {
  Heartbeat heartbeat;
  {
    std::lock_guard lock(mutex_);
    heartbeat = next_;
    next_.metrics.clear();
  }
  // Count the lease from before the request, so that ours never outlasts the daemon's.
  const double asked = clock_.monotonic();
  try {
    const auto reply =
        from_json<HeartbeatReply>(connection_.post("/heartbeat", to_json(heartbeat)));
    std::lock_guard lock(mutex_);
    order_ = reply.order;
    lease_end_ = asked + terms_.lease_seconds;
  } catch (const std::exception& error) {
    spdlog::warn("heartbeat not delivered: {}", error.what());
    std::lock_guard lock(mutex_);
    next_.metrics.insert(next_.metrics.begin(), heartbeat.metrics.begin(), heartbeat.metrics.end());
  }
}

}  // namespace remixer::worker
