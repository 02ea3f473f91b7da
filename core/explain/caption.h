// SPDX-License-Identifier: Apache-2.0
// Draws captions in pictures.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/image/image.h"

namespace remixer::explain {

// One line of text, centred in a white strip of the given width; made smaller, then shortened, if
// it is too long. Non-ASCII letters become '?'. Deterministic.
data::Image caption(const std::string& text, int width, int height,
                    std::array<uint8_t, 3> colour = {27, 31, 36});

}  // namespace remixer::explain
