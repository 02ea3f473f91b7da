// SPDX-License-Identifier: Apache-2.0
// Detects that a write failed for lack of space: a full disk, a quota, a file size limit. It is the
// site's trouble, not that of what was written: wait, and go on when there is room.
#pragma once

#include <exception>

namespace remixer {

// Whether the exception says so: by its system error code, or by its text, which passes through
// libraries that keep no more than that.
bool is_no_space(const std::exception& error);

}  // namespace remixer
