// SPDX-License-Identifier: Apache-2.0
// Work that waits, as launchers of workers need to know it.
#pragma once

#include "coordinator/engine/engine.h"
#include "coordinator/launch/slurm/plan.h"

namespace remixer::coordinator {

// A ready task that is expected to take less than `worth_seconds` counts as that part of one.
slurm::Demand demand_of(const Engine::View& view, double worth_seconds);

}  // namespace remixer::coordinator
