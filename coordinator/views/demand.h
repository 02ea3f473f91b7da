// SPDX-License-Identifier: Apache-2.0
// Pending work, as needed by the launchers of workers.
#pragma once

#include <optional>
#include <string>

#include "coordinator/engine/engine.h"
#include "coordinator/launch/slurm/plan.h"

namespace remixer::coordinator {

// For the site's allocations, if there is a site. A ready task expected to take less than the
// site's worth_seconds counts as that fraction of a task. Tasks that no allocation could run, and
// tasks that depend on them, are not counted.
slurm::Demand demand_of(const Engine::View& view, const std::optional<slurm::Site>& site);

// Why no allocation of the site could run the task; empty if one could.
std::string unfit_for_site(const Engine::View& view, const TaskEntry& entry,
                           const slurm::Site& site);

}  // namespace remixer::coordinator
