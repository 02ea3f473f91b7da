// SPDX-License-Identifier: Apache-2.0
// `remixer plan`: inputs and costs of a grid before it runs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coordinator/command/verbs/command.h"
#include "coordinator/launch/slurm/site.h"
#include "experiments/grid/grid.h"
#include "experiments/outlook/rates.h"

namespace remixer::coordinator::command {

// Adds `remixer plan` to the command line.
void add_plan(CommandLine& line);

// The workers in a site's allocations.
experiments::Machine machine_of(const slurm::Site& site);

// Everything that is missing: inputs that the grid's reader did not find, and weights whose files
// are not where labelers look for them. Labels that exist already need no weights.
std::vector<experiments::MissingInput> all_missing(const experiments::OutlinedGrid& outlined,
                                                   const fs::path& workspace);

// The grid, if none of its inputs is missing. Throws InputError that lists all missing ones.
experiments::Grid read_ready_grid(const fs::path& file, const fs::path& workspace);

// A grid's file as it is sent to the daemon, which expands it.
struct ReadyFile {
  std::string name;  // the grid's name
  std::string text;
  std::vector<std::string> recipes;  // active options of each recipe, one line each
};
// As read_ready_grid(), for a file that may have more cells than fit in this process's memory.
ReadyFile read_ready_file(const fs::path& file, const fs::path& workspace);

struct PlanOptions {
  fs::path grid, site;
  std::vector<fs::path> rates;  // outputs of `bench step --format json`
};
// Prints the plan; returns true if nothing is missing.
bool print_plan(const CommandLine& line, const PlanOptions& options);

}  // namespace remixer::coordinator::command
