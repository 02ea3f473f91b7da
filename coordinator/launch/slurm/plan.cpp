// SPDX-License-Identifier: Apache-2.0
#include "coordinator/launch/slurm/plan.h"

#include <algorithm>
#include <cmath>

namespace remixer::coordinator::slurm {
namespace {

// Number of allocations for this many tasks at once.
int64_t allocations_for(const Site& site, double tasks, int64_t local_workers) {
  const double left = std::max(0.0, tasks - static_cast<double>(local_workers));
  const double needed = std::ceil(left / static_cast<double>(site.worker.workers) - 1e-9);
  return static_cast<int64_t>(std::min(needed, static_cast<double>(site.queue.maximum)));
}

}  // namespace

Plan plan_allocations(const Site& site, const Demand& demand, const std::vector<Job>& jobs) {
  std::vector<std::string> waiting;
  int64_t alive = 0;
  for (const Job& job : jobs) {
    if (job.phase == JobPhase::kEnded) continue;
    ++alive;
    if (job.phase == JobPhase::kWaiting) waiting.push_back(job.id);
  }
  const auto backlog = static_cast<int64_t>(waiting.size());
  const std::string unfit =
      demand.unfit == 0 ? ""
                        : fmt::format("; {} that {} ready fit{} no allocation of this site: {}",
                                      demand.unfit, demand.unfit == 1 ? "is" : "are",
                                      demand.unfit == 1 ? "s" : "", demand.unfit_why);
  const int64_t wanted = allocations_for(site, static_cast<double>(demand.running) + demand.ready,
                                         demand.local_workers);
  const int64_t useful =
      allocations_for(site, static_cast<double>(demand.unfinished), demand.local_workers);

  Plan plan;
  if (alive < wanted) {
    plan.submit =
        std::clamp<int64_t>(wanted - alive, 0, std::max<int64_t>(0, site.queue.backlog - backlog));
    plan.why = plan.submit == 0
                   ? fmt::format("{} of {} wanted; {} wait in Slurm's queue (backlog {})", alive,
                                 wanted, backlog, site.queue.backlog)
                   : fmt::format("{} of {} wanted: asking for {} more", alive, wanted, plan.submit);
    plan.why += unfit;
    return plan;
  }
  const int64_t surplus = std::min(alive - useful, backlog);
  for (int64_t i = 0; i < surplus; ++i) {
    plan.cancel.push_back(waiting[static_cast<size_t>(backlog - 1 - i)]);
  }
  if (!plan.cancel.empty()) {
    plan.why = fmt::format("{} are useful, {} are there: taking {} back", useful, alive,
                           plan.cancel.size());
  } else if (demand.unfinished == 0) {
    plan.why = "nothing is to be done";
  } else if (alive >= site.queue.maximum) {
    plan.why = fmt::format("the maximum of {} is there", site.queue.maximum);
  } else {
    plan.why = fmt::format("{} wanted, {} there", wanted, alive);
  }
  plan.why += unfit;
  return plan;
}

}  // namespace remixer::coordinator::slurm
