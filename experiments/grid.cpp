#include "experiments/grid.h"

#include "core/base/file.h"
#include "experiments/grid_expansion.h"
#include "experiments/grid_reader.h"

namespace remixer::experiments {

Grid read_grid(const std::filesystem::path& file) {
  return parse_grid(read_file(file), file.string());
}

Grid parse_grid(const std::string& text, const std::string& name) {
  return expand_grid(read_grid_file(text, name));
}

}  // namespace remixer::experiments
