// SPDX-License-Identifier: Apache-2.0
// Expands a grid file to cells and tasks.
#pragma once

#include "experiments/grid/grid.h"
#include "experiments/grid/grid_file.h"

namespace remixer::experiments {

// Receives the cells and tasks of a grid one by one, so that a large grid need not fit in memory.
class GridSink {
 public:
  virtual ~GridSink() = default;
  // Each cell once, in the file's order, before its tasks.
  virtual void take(const Cell& cell, const Json& identity, const std::string& id) = 0;
  // Each task once, after all its dependencies.
  virtual void take(Task task, const std::string& id) = 0;
};

// As below, but into `sink`. If it throws, what the sink has received is invalid.
void expand_grid(const GridFile& file, GridSink& sink);

// Expands all combinations of the axes. Throws InputError "FILE:LINE: ..." on impossible pairs,
// duplicates, and cells that no [[evaluation]] entry covers.
Grid expand_grid(const GridFile& file);

}  // namespace remixer::experiments
