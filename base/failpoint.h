// SPDX-License-Identifier: Apache-2.0
// Named points at which a test may have a process die, to see what is left.
//
// $REMIXER_FAILPOINT = "NAME" or "NAME:COUNT": at the first, or the COUNT-th, time that a process
// comes to the point of that name it kills itself with SIGKILL. Without the variable a point costs
// one comparison. docs/architecture.md lists the names.
#pragma once

namespace remixer {

// Thread-safe.
void failpoint(const char* name);

}  // namespace remixer
