// A grid file, read and expanded.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

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

// Reads a grid file (docs/grids.md). Datasets that were imported are looked up by name in
// `workspace`, which need not exist where the grid names none. Throws InputError "FILE:LINE: what;
// did you mean ...?" on unknown keys and values, impossible pairs and duplicates.
Grid read_grid(const std::filesystem::path& file, const std::filesystem::path& workspace);
// The same from text; `name` stands for the file in messages.
Grid parse_grid(const std::string& text, const std::string& name,
                const std::filesystem::path& workspace = {});

}  // namespace remixer::experiments
