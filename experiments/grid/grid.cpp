// SPDX-License-Identifier: Apache-2.0
#include "experiments/grid/grid.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/one_line.h"
#include "experiments/grid/grid_expansion.h"
#include "experiments/grid/grid_reader.h"
#include "experiments/spec/paper_recipe.h"

namespace remixer::experiments {

Grid read_grid(const std::filesystem::path& file, const std::filesystem::path& workspace) {
  return parse_grid(read_file(file), file.string(), workspace);
}

Grid parse_grid(const std::string& text, const std::string& name,
                const std::filesystem::path& workspace) {
  OutlinedGrid outlined = outline_grid_text(text, name, workspace);
  require_inputs(outlined.file);
  return std::move(outlined.grid);
}

OutlinedGrid outline_grid(const std::filesystem::path& file,
                          const std::filesystem::path& workspace) {
  return outline_grid_text(read_file(file), file.string(), workspace);
}

OutlinedGrid outline_grid_text(const std::string& text, const std::string& name,
                               const std::filesystem::path& workspace) {
  try {
    GridFile file = read_grid_file(text, name, workspace);
    Grid grid = expand_grid(file);
    return {std::move(grid), std::move(file)};
  } catch (const InputError& error) {
    throw InputError(one_line(error.what()));
  }
}

std::vector<std::string> recipe_lines(const Grid& grid) {
  std::vector<std::string> names, lines;
  for (const Cell& cell : grid.cells) {
    if (std::find(names.begin(), names.end(), cell.recipe_name) != names.end()) continue;
    names.push_back(cell.recipe_name);
    lines.push_back(fmt::format("recipe {}: {}", cell.recipe_name, recipe_text(cell.recipe)));
  }
  return lines;
}

void require_inputs(const GridFile& file) {
  if (file.missing.empty()) return;
  std::string text = file.missing.front().problem;
  if (file.missing.size() > 1) {
    std::string others;
    for (size_t i = 1; i < file.missing.size(); ++i) {
      others +=
          fmt::format("{}{} '{}'", i > 1 ? ", " : "", file.missing[i].what, file.missing[i].name);
    }
    text += fmt::format(
        "; also missing: {}; `remixer plan {}` says what brings each, before anything is run",
        others, file.file);
  }
  throw InputError(one_line(text));
}

}  // namespace remixer::experiments
