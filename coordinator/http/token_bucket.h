// SPDX-License-Identifier: Apache-2.0
// Rate limit (token bucket).
#pragma once

#include <algorithm>

namespace remixer::coordinator {

// Not thread-safe. Times are seconds of a monotonic clock.
class TokenBucket {
 public:
  TokenBucket(double per_second, double at_once)
      : per_second_(per_second), most_(at_once), tokens_(at_once) {}

  // Takes one token, if there is one.
  bool take(double now) {
    fill(now);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }
  // Takes one token, on credit if there is none; returns the seconds until it is earned.
  double take_on_credit(double now) {
    fill(now);
    tokens_ -= 1;
    return tokens_ >= 0 ? 0 : -tokens_ / per_second_;
  }

 private:
  void fill(double now) {
    if (now > filled_) tokens_ = std::min(most_, tokens_ + (now - filled_) * per_second_);
    filled_ = std::max(filled_, now);
  }

  double per_second_, most_, tokens_, filled_ = 0;
};

}  // namespace remixer::coordinator
