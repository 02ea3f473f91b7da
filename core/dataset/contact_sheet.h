// SPDX-License-Identifier: Apache-2.0
// Draws a contact sheet of a data set.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/image/image.h"

namespace remixer::data {

// One row a class and one column a split, each showing that class's first image of the split, with
// `cell` pixels a side (images smaller than that are enlarged by whole factors, pixel by pixel) and
// a narrow gap between. A class that a split lacks is left grey. Throws InputError as Dataset::open
// and read_image do.
Image contact_sheet(const std::filesystem::path& folder, const std::vector<std::string>& splits,
                    int cell);

}  // namespace remixer::data
