#include "experiments/grid/grid.h"

#include "base/error.h"
#include "base/file.h"
#include "base/one_line.h"
#include "experiments/grid/grid_expansion.h"
#include "experiments/grid/grid_reader.h"

namespace remixer::experiments {

Grid read_grid(const std::filesystem::path& file, const std::filesystem::path& workspace) {
  return parse_grid(read_file(file), file.string(), workspace);
}

Grid parse_grid(const std::string& text, const std::string& name,
                const std::filesystem::path& workspace) {
  try {
    return expand_grid(read_grid_file(text, name, workspace));
  } catch (const InputError& error) {
    throw InputError(one_line(error.what()));
  }
}

}  // namespace remixer::experiments
