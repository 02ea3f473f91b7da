// TOML to GridFile.
#pragma once

#include <string>

#include "experiments/grid_file.h"

namespace remixer::experiments {

// Throws InputError "FILE:LINE: ..." on text that is not TOML, unknown keys and names, values of a
// wrong type or out of range, and missing parts.
GridFile read_grid_file(const std::string& text, const std::string& file);

}  // namespace remixer::experiments
