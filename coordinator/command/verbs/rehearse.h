// SPDX-License-Identifier: Apache-2.0
// `remixer rehearse`: its steps after the grid has run.
#pragma once

#include "coordinator/command/verbs/command.h"
#include "experiments/outlook/rates.h"

namespace remixer::coordinator::command {

void add_rehearse(CommandLine& line);

// Speed and memory from a rehearsal's database, in the form that experiments::Rates reads: {"grid",
// "gpu", "model", "training": [...], "labelling": [...]}. `whole`: whether a labeler, by its name
// in the grid, ran its real network.
Json rehearsal_record(const fs::path& scratch, const std::string& grid,
                      const experiments::Machine& machine,
                      const std::map<std::string, bool>& whole);

// Writes REHEARSAL at the top of every file in a report's folder.
void mark_report(const fs::path& folder);

}  // namespace remixer::coordinator::command
