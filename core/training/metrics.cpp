// SPDX-License-Identifier: Apache-2.0
#include "core/training/metrics.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"

namespace remixer::training {

Metrics::Metrics(int64_t steps_per_epoch)
    : steps_per_epoch_(steps_per_epoch), started_(system_clock().monotonic()) {}

Metric Metrics::metric(int64_t step, const std::string& name, double value) const {
  return {step, static_cast<double>(step) / static_cast<double>(steps_per_epoch_), name, value};
}

void Metrics::count(double loss, int64_t images) {
  losses_.sum += loss;
  ++losses_.steps;
  images_ += images;
}

void Metrics::note(int64_t step, const std::string& name, double value) {
  noted_.push_back(metric(step, name, value));
}

std::vector<Metric> Metrics::take(int64_t step, bool means) {
  std::vector<Metric> metrics = std::exchange(noted_, {});
  if (!means || losses_.steps == 0) return metrics;
  const double now = system_clock().monotonic();
  metrics.push_back(metric(step, "loss", losses_.sum / static_cast<double>(losses_.steps)));
  const double seconds = std::max(1e-9, now - started_);
  metrics.push_back(metric(step, "images_per_second", static_cast<double>(images_) / seconds));
  metrics.push_back(
      metric(step, "system.loader_stall_percent", std::min(100.0, 100 * waited_ / seconds)));
  losses_ = {};
  waited_ = 0;
  images_ = 0;
  started_ = now;
  return metrics;
}

}  // namespace remixer::training
