// SPDX-License-Identifier: Apache-2.0
// Reads a grid file (TOML) and reports mistakes with their lines.
#pragma once

#include <filesystem>
#include <string>

#include "experiments/grid/grid_file.h"

namespace remixer::experiments {

// Throws InputError "FILE:LINE: ..." on invalid TOML, unknown keys and names, values of a wrong
// type or out of range, and missing parts. Imported datasets and pins are looked up in `workspace`;
// those it lacks are replaced by placeholders, and recorded as missing if a cell or an evaluation
// uses them.
GridFile read_grid_file(const std::string& text, const std::string& file,
                        const std::filesystem::path& workspace);

}  // namespace remixer::experiments
