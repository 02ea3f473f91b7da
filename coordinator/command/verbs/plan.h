// SPDX-License-Identifier: Apache-2.0
// `remixer plan`: what a grid needs and costs before it runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coordinator/command/verbs/command.h"
#include "coordinator/launch/slurm/site.h"
#include "experiments/grid/grid.h"
#include "experiments/outlook/rates.h"

namespace remixer::coordinator::command {

// `remixer plan`.
void add_plan(CommandLine& line);

// The workers that a site's allocations hold.
experiments::Machine machine_of(const slurm::Site& site);

// Everything that is missing: what the reader of the grid found, and weights whose files are not
// where labelers look for them. Labels that are made already need no weights.
std::vector<experiments::MissingInput> all_missing(const experiments::OutlinedGrid& outlined,
                                                   const fs::path& workspace);

// The grid, once nothing of what it needs is missing. Throws InputError that names all that is.
experiments::Grid read_ready_grid(const fs::path& file, const fs::path& workspace);

// A grid's file as it is sent to the daemon, which expands it.
struct ReadyFile {
  std::string name;  // the grid's
  std::string text;
  std::vector<std::string> recipes;  // what is on in each, a line each
};
// The same of a file that may stand for more cells than this process could hold.
ReadyFile read_ready_file(const fs::path& file, const fs::path& workspace);

struct PlanOptions {
  fs::path grid, site;
  std::vector<fs::path> rates;  // what `bench step --format json` printed
};
// Prints the plan; true where nothing is missing.
bool print_plan(const CommandLine& line, const PlanOptions& options);

}  // namespace remixer::coordinator::command
