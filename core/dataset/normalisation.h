// SPDX-License-Identifier: Apache-2.0
// ImageNet's channel statistics, commonly used to normalise images.
#pragma once

#include <array>

namespace remixer::data {

// Of pixels scaled to [0, 1]; red, green, blue.
constexpr std::array<double, 3> kImageNetMean = {0.485, 0.456, 0.406};
constexpr std::array<double, 3> kImageNetDeviation = {0.229, 0.224, 0.225};

}  // namespace remixer::data
