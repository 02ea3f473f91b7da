// SPDX-License-Identifier: Apache-2.0
// Length of the shortest prefix that is accepted for an id.
#pragma once

#include <cstddef>

namespace remixer::coordinator {

// Characters that the beginning of a task's or a cell's id must have, to be taken for one.
constexpr size_t kShortestPrefix = 4;

}  // namespace remixer::coordinator
