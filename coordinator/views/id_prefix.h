// SPDX-License-Identifier: Apache-2.0
// Minimum length of an id prefix.
#pragma once

#include <cstddef>

namespace remixer::coordinator {

// Characters needed at least for a text to be accepted as the prefix of a task or cell id.
constexpr size_t kShortestPrefix = 4;

}  // namespace remixer::coordinator
