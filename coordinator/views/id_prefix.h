// SPDX-License-Identifier: Apache-2.0
// How little of an id may stand for it.
#pragma once

#include <cstddef>

namespace remixer::coordinator {

// Characters that the beginning of a task's or a cell's id must have, to be taken for one.
constexpr size_t kShortestPrefix = 4;

}  // namespace remixer::coordinator
