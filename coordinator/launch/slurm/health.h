// SPDX-License-Identifier: Apache-2.0
// Counts consecutive failed submissions and failed starts of allocations.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "coordinator/launch/slurm/jobs.h"
#include "coordinator/launch/slurm/plan.h"
#include "coordinator/launch/slurm/site.h"

namespace remixer::coordinator::slurm {

// Not thread-safe.
class Health {
 public:
  // Compares the list of jobs with the previous one. An allocation in which a worker registered has
  // succeeded; one that ended without is a failed start, unless it was cancelled or its node was
  // lost. Jobs that had ended before they were first seen do not count. `demand` must be older than
  // `jobs`: a worker in it had then registered before the job ended.
  struct Change {
    std::vector<std::string> over;    // workers whose processes have certainly ended
    std::vector<std::string> failed;  // jobs that failed to start
  };
  Change look(const std::vector<Job>& jobs, const Demand& demand);

  void submitted() { submit_failures_ = 0; }
  void submit_failed() { ++submit_failures_; }
  int64_t submit_failures() const { return submit_failures_; }
  int64_t start_failures() const { return start_failures_; }
  void reset() { submit_failures_ = start_failures_ = 0; }

 private:
  bool failed_start(const std::string& id, const Job* job, const Demand& demand) const;

  std::set<std::string> alive_, ran_;
  int64_t submit_failures_ = 0, start_failures_ = 0;
};

}  // namespace remixer::coordinator::slurm
