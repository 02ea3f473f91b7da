// SPDX-License-Identifier: Apache-2.0
// Expands a grid file to cells and tasks.
#pragma once

#include "experiments/grid/grid.h"
#include "experiments/grid/grid_file.h"

namespace remixer::experiments {

// Takes what a grid file expands to, piece by piece: a large grid need not be held as a whole.
class GridSink {
 public:
  virtual ~GridSink() = default;
  // Each once, in the file's order, before its tasks.
  virtual void take(const Cell& cell, const Json& identity, const std::string& id) = 0;
  // Each once, after all that it depends on.
  virtual void take(Task task, const std::string& id) = 0;
};

// As below, into `sink`; where it throws, what the sink was given counts for nothing.
void expand_grid(const GridFile& file, GridSink& sink);

// Multiplies out the axes. Throws InputError "FILE:LINE: ..." on impossible pairs, duplicates, and
// cells that nothing evaluates.
Grid expand_grid(const GridFile& file);

}  // namespace remixer::experiments
