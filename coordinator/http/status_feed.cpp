// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/status_feed.h"

namespace remixer::coordinator {

namespace {

constexpr double kAskSeconds = 0.9;
constexpr double kRenewSeconds = 5;

// The parts of the status that show events; leaves out times, which always change.
std::string happened(const experiments::protocol::answers::Status& status) {
  Json seen = Json::array({status.revision, status.stopping});
  for (const auto& attempt : status.running) {
    seen.push_back({attempt.task_id, attempt.step, attempt.activity});
  }
  for (const auto& worker : status.workers) seen.push_back({worker.worker_id, worker.state});
  return seen.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

StatusFeed::Snapshot StatusFeed::newest() {
  const std::lock_guard lock(mutex_);
  const double now = clock_.monotonic();
  if (now - asked_ < kAskSeconds) return snapshot_;
  const experiments::protocol::answers::Status status = status_();
  asked_ = now;
  std::string seen = happened(status);
  if (seen == seen_ && now - renewed_ < kRenewSeconds) return snapshot_;
  seen_ = std::move(seen);
  renewed_ = now;
  ++snapshot_.number;
  snapshot_.json = std::make_shared<const std::string>(
      to_json(status).dump(-1, ' ', false, Json::error_handler_t::replace));
  return snapshot_;
}

}  // namespace remixer::coordinator
