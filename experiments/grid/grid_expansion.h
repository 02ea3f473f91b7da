// SPDX-License-Identifier: Apache-2.0
// Expands a grid file to cells and tasks.
#pragma once

#include "experiments/grid/grid.h"
#include "experiments/grid/grid_file.h"

namespace remixer::experiments {

// Multiplies out the axes. Throws InputError "FILE:LINE: ..." on impossible pairs, duplicates, and
// cells that nothing evaluates.
Grid expand_grid(const GridFile& file);

}  // namespace remixer::experiments
