#include "experiments/grid.h"

#include "core/base/file.h"
#include "experiments/grid_expansion.h"
#include "experiments/grid_reader.h"

namespace remixer::experiments {

Grid read_grid(const std::filesystem::path& file, const std::filesystem::path& workspace) {
  return parse_grid(read_file(file), file.string(), workspace);
}

Grid parse_grid(const std::string& text, const std::string& name,
                const std::filesystem::path& workspace) {
  return expand_grid(read_grid_file(text, name, workspace));
}

}  // namespace remixer::experiments
