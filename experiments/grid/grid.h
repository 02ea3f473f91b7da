// SPDX-License-Identifier: Apache-2.0
// A grid file, read and expanded.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/grid/grid_file.h"
#include "experiments/spec/cell.h"
#include "experiments/spec/task.h"

namespace remixer::experiments {

struct Grid {
  std::string name;
  std::string description;
  std::string text;         // the file as it was read, kept with the grid in the database
  std::vector<Cell> cells;  // in the file's order, each once
  std::vector<Task> tasks;  // dependencies before dependants; a cell's tasks stand together, so
                            // working in this order fills the tables row by row
};

// Reads a grid file (docs/grids.md). Datasets that were imported, and weights that were pinned by
// name, are looked up in `workspace`, which need not exist where the grid names none. Throws
// InputError "FILE:LINE: what; did you mean ...?" on unknown keys and values, impossible pairs and
// duplicates; where anything is missing, all of it is named.
Grid read_grid(const std::filesystem::path& file, const std::filesystem::path& workspace);
// The same from text; `name` stands for the file in messages.
Grid parse_grid(const std::string& text, const std::string& name,
                const std::filesystem::path& workspace = {});

// What is on in each recipe that the cells are trained by, a line each (experiments/spec/
// paper_recipe.h): "recipe short: 8 epochs of 4 x 16 images, flip 0.5, ...".
std::vector<std::string> recipe_lines(const Grid& grid);

// A grid whose data sets and weights need not be there yet: each that is missing has a stand-in
// that is like it, so cells and tasks are those of later in all but their ids.
struct OutlinedGrid {
  Grid grid;
  GridFile file;  // as it was read, the stand-ins among its data sets; `missing` names them
};
// Throws as read_grid() does for everything else.
OutlinedGrid outline_grid(const std::filesystem::path& file,
                          const std::filesystem::path& workspace);
OutlinedGrid outline_grid_text(const std::string& text, const std::string& name,
                               const std::filesystem::path& workspace);

// Throws InputError, one line that names all that is missing, unless nothing is.
void require_inputs(const GridFile& file);

}  // namespace remixer::experiments
