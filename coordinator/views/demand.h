// SPDX-License-Identifier: Apache-2.0
// Work that waits, as launchers of workers need to know it.
#pragma once

#include <optional>
#include <string>

#include "coordinator/engine/engine.h"
#include "coordinator/launch/slurm/plan.h"

namespace remixer::coordinator {

// Of the site's allocations, where there is one. A ready task that is expected to take less than
// the site's worth_seconds counts as that part of one; what none of its allocations could run, and
// what waits for such, is no demand.
slurm::Demand demand_of(const Engine::View& view, const std::optional<slurm::Site>& site);

// Why no allocation of the site could run the task; empty where one could.
std::string unfit_for_site(const Engine::View& view, const TaskEntry& entry,
                           const slurm::Site& site);

}  // namespace remixer::coordinator
