// SPDX-License-Identifier: Apache-2.0
// Draws a contact sheet of a data set.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/image/image.h"

namespace remixer::data {

// One row per class and one column per split; each cell shows the class's first image of the split,
// `cell` pixels per side (smaller images are enlarged by whole factors, without interpolation),
// with a narrow gap between. If a split lacks a class, its cell is grey. Throws InputError as
// Dataset::open and read_image do.
Image contact_sheet(const std::filesystem::path& folder, const std::vector<std::string>& splits,
                    int cell);

}  // namespace remixer::data
