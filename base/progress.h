// SPDX-License-Identifier: Apache-2.0
// Progress bar on standard error.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>

#include "base/clock.h"
#include "base/error.h"

namespace remixer {

// Prints "reading: 4224 of 16000 images, 512 a second, 23 s to go" once a second on a terminal,
// otherwise every ten seconds.
class Progress {
 public:
  explicit Progress(const char* what = "") : what_(what), terminal_(::isatty(STDERR_FILENO) != 0) {}
  ~Progress() {
    if (terminal_ && shown_ > 0) fmt::print(stderr, "\r\033[K");
  }

  // Progress of another stage, which starts now.
  void operator()(const char* what, int64_t done, int64_t total) {
    if (what_ != what) {
      what_ = what;
      start_ = last_ = system_clock().monotonic();
    }
    (*this)(done, total);
  }

  void operator()(int64_t done, int64_t total) {
    const double now = system_clock().monotonic();
    if (now - last_ < (terminal_ ? 1 : 10)) return;
    last_ = now;
    ++shown_;
    const double to_go = (now - start_) / static_cast<double>(std::max<int64_t>(done, 1)) *
                         static_cast<double>(total - done);
    fmt::print(stderr, "{}{}: {} of {} images, {:.0f} a second, {} to go{}",
               terminal_ ? "\r\033[K" : "", what_, done, total,
               static_cast<double>(done) / (now - start_), duration_text(to_go),
               terminal_ ? "" : "\n");
    std::fflush(stderr);
  }

 private:
  std::string what_;
  bool terminal_;
  double start_ = system_clock().monotonic(), last_ = start_;
  int shown_ = 0;
};

}  // namespace remixer
