// SPDX-License-Identifier: Apache-2.0
// Status stream shared by all watchers: queries the engine at most once a second.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "experiments/protocol/answers.h"

namespace remixer::coordinator {

// Thread-safe.
class StatusFeed {
 public:
  using Source = std::function<experiments::protocol::answers::Status()>;
  explicit StatusFeed(Source status, const Clock& clock = system_clock())
      : status_(std::move(status)), clock_(clock) {}

  struct Snapshot {
    uint64_t number = 0;  // increases when something has happened, and every few seconds
    std::shared_ptr<const std::string> json;
  };
  // Throws what the status function throws.
  Snapshot newest();

 private:
  Source status_;
  const Clock& clock_;
  std::mutex mutex_;
  Snapshot snapshot_;
  std::string seen_;                      // compared to detect whether something has happened
  double asked_ = -1e9, renewed_ = -1e9;  // times
};

}  // namespace remixer::coordinator
