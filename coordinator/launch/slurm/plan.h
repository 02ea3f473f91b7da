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

// What the scheduler's tasks ask for, and who works on them.
struct Demand {
  int64_t running = 0;        // tasks
  double ready = 0;           // tasks that could start now; those of seconds count as part of one
  int64_t unfinished = 0;     // tasks that run, could start, or wait for others
  int64_t unfit = 0;          // further ones, ready, that no allocation of the site could run
  std::string unfit_why;      // of one of them
  int64_t local_workers = 0;  // workers that are in no allocation
  struct InAllocation {
    std::vector<std::string> workers;  // ids of those that have registered and are not gone
    int64_t alive = 0;                 // of those, that have been heard of lately
    int64_t running = 0;               // tasks
  };
  std::map<std::string, InAllocation> allocations;  // by job id; those of the past included
};

struct Plan {
  int64_t submit = 0;
  std::vector<std::string> cancel;  // waiting jobs that nothing needs any more, the newest first
  std::string why;                  // for people, one line
};

// Wants an allocation for every `site.worker.workers` tasks that run or could start beyond what
// local workers do, at most `queue.maximum`, submits while fewer than `queue.backlog` wait, and
// cancels waiting ones beyond what all unfinished tasks could use. Running ones are never
// cancelled: they end by themselves when they are idle.
Plan plan_allocations(const Site& site, const Demand& demand, const std::vector<Job>& jobs);

}  // namespace remixer::coordinator::slurm
