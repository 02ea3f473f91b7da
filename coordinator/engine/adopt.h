// SPDX-License-Identifier: Apache-2.0
// Restores results from run folders into a database that lacks them.
#pragma once

#include <cstdint>

#include "coordinator/engine/engine.h"
#include "experiments/protocol/order_answers.h"

namespace remixer::coordinator {

using experiments::protocol::answers::Adopted;

// Searches the folders of the grid's tasks for finished results of their attempts, newest first,
// and commits those whose files all exist with the SHA-256 stated in the result. Reads the disk in
// the caller's thread. Throws NotFound if there is no such grid.
Adopted adopt_results(Engine& engine, int64_t grid_id);

}  // namespace remixer::coordinator
