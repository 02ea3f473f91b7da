// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/status_feed.h"

namespace remixer::coordinator {

namespace {

constexpr double kAskSeconds = 0.9;
constexpr double kRenewSeconds = 5;

// The parts of the status that show events; leaves out times, which always change.
std::string happened(const Json& status) {
  Json seen = Json::array({status.value("revision", Json()), status.value("stopping", Json())});
  for (const Json& attempt : status.value("running", Json::array())) {
    seen.push_back({attempt.value("task_id", Json()), attempt.value("step", Json()),
                    attempt.value("activity", Json())});
  }
  for (const Json& worker : status.value("workers", Json::array())) {
    seen.push_back({worker.value("worker_id", Json()), worker.value("state", Json())});
  }
  return seen.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

StatusFeed::Snapshot StatusFeed::newest() {
  const std::lock_guard lock(mutex_);
  const double now = clock_.monotonic();
  if (now - asked_ < kAskSeconds) return snapshot_;
  const Json status = status_();
  asked_ = now;
  std::string seen = happened(status);
  if (seen == seen_ && now - renewed_ < kRenewSeconds) return snapshot_;
  seen_ = std::move(seen);
  renewed_ = now;
  ++snapshot_.number;
  snapshot_.json = std::make_shared<const std::string>(
      status.dump(-1, ' ', false, Json::error_handler_t::replace));
  return snapshot_;
}

}  // namespace remixer::coordinator
