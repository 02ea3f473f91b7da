// SPDX-License-Identifier: Apache-2.0
// Submits a grid to the daemon.
#pragma once

#include <string>

#include "coordinator/command/ask/session.h"
#include "experiments/grid/grid.h"
#include "experiments/protocol/messages.h"

namespace remixer::coordinator::command {

experiments::protocol::GridSubmitted submit_grid(Session& session, const experiments::Grid& grid);
// Sends the file's text, which the daemon expands, so that it may have any number of cells.
// Messages use `name` as the file name.
experiments::protocol::GridSubmitted submit_grid_file(Session& session, const std::string& text,
                                                      const std::string& name);

// "quickstart: 15 cells (3 done already), 131 tasks: 40 reused, 91 to run".
std::string submitted_text(const std::string& name,
                           const experiments::protocol::GridSubmitted& submitted);

// The active options of each recipe, one line each.
std::string recipes_text(const std::vector<std::string>& recipes);

}  // namespace remixer::coordinator::command
