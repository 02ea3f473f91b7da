// SPDX-License-Identifier: Apache-2.0
// Decides how many allocations to request: a pure function of demand and queue.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "coordinator/launch/slurm/jobs.h"
#include "coordinator/launch/slurm/site.h"

namespace remixer::coordinator::slurm {

// What the scheduler's tasks require, and the workers that exist.
struct Demand {
  int64_t running = 0;        // tasks
  double ready = 0;           // tasks that could start now; very short ones count as a fraction
  int64_t unfinished = 0;     // tasks that run, could start, or wait for others
  int64_t unfit = 0;          // further ready tasks that no allocation of the site could run
  std::string unfit_why;      // reason for one of them
  int64_t local_workers = 0;  // workers outside of allocations
  struct InAllocation {
    std::vector<std::string> workers;  // ids of registered workers that are not gone
    int64_t alive = 0;                 // those of them heard from recently
    int64_t running = 0;               // tasks
  };
  std::map<std::string, InAllocation> allocations;  // by job id; including past ones
};

struct Plan {
  int64_t submit = 0;
  std::vector<std::string> cancel;  // waiting jobs that are no longer needed, newest first
  std::string why;                  // for people, one line
};

// Wants an allocation for every `site.worker.workers` tasks that run or could start beyond what
// local workers do, at most `queue.maximum`. Submits while fewer than `queue.backlog` wait, and
// cancels waiting ones beyond what all unfinished tasks could use. Never cancels running ones: they
// end by themselves when they are idle.
Plan plan_allocations(const Site& site, const Demand& demand, const std::vector<Job>& jobs);

}  // namespace remixer::coordinator::slurm
