// SPDX-License-Identifier: Apache-2.0
// Failpoints: named places where a test can kill the process.
//
// $REMIXER_FAILPOINT = "NAME" or "NAME:COUNT": at the first, or the COUNT-th, time that a process
// comes to the point of that name it kills itself with SIGKILL. With "NAME:~MS" it
// sleeps so many milliseconds each time instead. Without the variable a point costs one comparison.
// docs/architecture.md lists the names.
#pragma once

namespace remixer {

// Thread-safe.
void failpoint(const char* name);

}  // namespace remixer
