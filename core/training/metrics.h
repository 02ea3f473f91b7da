// SPDX-License-Identifier: Apache-2.0
// Training metrics that a run reports.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/training/trainer.h"

namespace remixer::training {

// The losses since the last report, of which the next one is the mean. Checkpoints hold it, so that
// a resumed run reports what an undisturbed one would.
struct LossWindow {
  double sum = 0;
  int64_t steps = 0;
  bool operator==(const LossWindow&) const = default;
};

// Means over the steps since the last report, and single figures. One thread at a time.
class Metrics {
 public:
  static constexpr int64_t kInterval = 20;  // steps between reports

  explicit Metrics(int64_t steps_per_epoch);

  // After each step: its loss and the images that it trained on.
  void count(double loss, int64_t images);
  const LossWindow& losses() const { return losses_; }
  // Continues the losses of an earlier attempt. Rates are means since now.
  void resume(const LossWindow& losses) { losses_ = losses; }
  // Adds the seconds that the step waited for its images.
  void wait(double seconds) { waited_ += seconds; }
  // A figure of this step alone, reported at once.
  void note(int64_t step, const std::string& name, double value);
  // True at every kInterval-th step: take() then reports the means.
  static bool due(int64_t step, int64_t total) { return step % kInterval == 0 || step == total; }
  // Returns what is to be reported now; `means` includes the means and begins a new window.
  std::vector<Metric> take(int64_t step, bool means);

 private:
  Metric metric(int64_t step, const std::string& name, double value) const;

  int64_t steps_per_epoch_;
  std::vector<Metric> noted_;
  LossWindow losses_;
  double waited_ = 0, started_;  // seconds; of the monotonic clock
  int64_t images_ = 0;
};

}  // namespace remixer::training
