// SPDX-License-Identifier: Apache-2.0
// Failpoints: named points in the code where a test can kill the process.
//
// $REMIXER_FAILPOINT = "NAME" or "NAME:COUNT": the process kills itself with SIGKILL the first, or
// the COUNT-th, time it reaches the point of that name. With "NAME:~MS" it instead sleeps that many
// milliseconds each time. If the variable is not set, a failpoint costs one comparison.
// docs/architecture.md lists the names.
#pragma once

namespace remixer {

// Thread-safe.
void failpoint(const char* name);

}  // namespace remixer
