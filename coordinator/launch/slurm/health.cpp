// SPDX-License-Identifier: Apache-2.0
#include "coordinator/launch/slurm/health.h"

namespace remixer::coordinator::slurm {

bool Health::failed_start(const std::string& id, const Job* job, const Demand& demand) const {
  if (demand.allocations.count(id)) return false;
  // Ended and forgotten by Slurm: all that is known is whether it ever ran.
  if (!job) return ran_.count(id) > 0;
  return job->state == "COMPLETED" || job->state == "FAILED" || job->state == "TIMEOUT" ||
         job->state == "OUT_OF_MEMORY" || job->stuck();
}

Health::Change Health::look(const std::vector<Job>& jobs, const Demand& demand) {
  Change change;
  std::map<std::string, const Job*> listed;
  for (const Job& job : jobs) listed[job.id] = &job;
  for (const Job& job : jobs) {
    if (job.surely_over() && demand.allocations.count(job.id)) {
      const auto& workers = demand.allocations.at(job.id).workers;
      change.over.insert(change.over.end(), workers.begin(), workers.end());
    }
    if (job.phase == JobPhase::kRunning) {
      ran_.insert(job.id);
      if (demand.allocations.count(job.id)) start_failures_ = 0;
    }
  }
  std::set<std::string> alive;
  for (const Job& job : jobs) {
    if (job.phase != JobPhase::kEnded && !job.stuck()) alive.insert(job.id);
  }
  for (const std::string& id : alive_) {
    if (alive.count(id)) continue;
    const auto found = listed.find(id);
    if (failed_start(id, found == listed.end() ? nullptr : found->second, demand)) {
      change.failed.push_back(id);
      ++start_failures_;
    } else if (demand.allocations.count(id)) {
      start_failures_ = 0;
    }
  }
  alive_ = std::move(alive);
  return change;
}

}  // namespace remixer::coordinator::slurm
