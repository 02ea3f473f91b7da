// SPDX-License-Identifier: Apache-2.0
// Detects that a write failed for lack of space: a full disk, a quota, a file size limit. The site
// has to free space, the data are not at fault: wait, and continue when there is room.
#pragma once

#include <exception>

namespace remixer {

// True if the exception means lack of space, by its system error code or by its text (some
// libraries pass on only the text).
bool is_no_space(const std::exception& error);

}  // namespace remixer
