// SPDX-License-Identifier: Apache-2.0
// Reads and expands grid files.
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
  std::string text;         // the file's text, stored with the grid in the database
  std::vector<Cell> cells;  // in the file's order, each once
  std::vector<Task> tasks;  // dependencies before dependants; a cell's tasks are adjacent, so
                            // working in this order fills the tables row by row
};

// Reads a grid file (docs/grids.md). Imported datasets and weights pinned by name are looked up in
// `workspace`, which need not exist if the grid names none. Throws InputError "FILE:LINE: what; did
// you mean ...?" on unknown keys and values, impossible pairs and duplicates; if inputs are
// missing, the error lists all of them.
Grid read_grid(const std::filesystem::path& file, const std::filesystem::path& workspace);
// The same from text; messages use `name` as the file name.
Grid parse_grid(const std::string& text, const std::string& name,
                const std::filesystem::path& workspace = {});

// The active options of each recipe that the cells use, one line per recipe (experiments/spec/
// paper_recipe.h): "recipe short: 8 epochs of 4 x 16 images, flip 0.5, ...".
std::vector<std::string> recipe_lines(const Grid& grid);

// A grid whose data sets and weights may still be missing. Each missing input is replaced by a
// similar placeholder, so that cells and tasks equal the later ones except for their ids.
struct OutlinedGrid {
  Grid grid;
  GridFile file;  // as read, with placeholder data sets; listed in `missing`
};
// Throws as read_grid() does, except for missing inputs.
OutlinedGrid outline_grid(const std::filesystem::path& file,
                          const std::filesystem::path& workspace);
OutlinedGrid outline_grid_text(const std::string& text, const std::string& name,
                               const std::filesystem::path& workspace);

// Throws InputError with one line that names all missing inputs, if there are any.
void require_inputs(const GridFile& file);

}  // namespace remixer::experiments
