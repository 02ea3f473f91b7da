// TOML to GridFile.
#pragma once

#include <filesystem>
#include <string>

#include "experiments/grid/grid_file.h"

namespace remixer::experiments {

// Throws InputError "FILE:LINE: ..." on text that is not TOML, unknown keys and names, values of a
// wrong type or out of range, and missing parts. Imported datasets are looked up in `workspace`.
GridFile read_grid_file(const std::string& text, const std::string& file,
                        const std::filesystem::path& workspace);

}  // namespace remixer::experiments
