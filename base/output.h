// SPDX-License-Identifier: Apache-2.0
// Flushes standard output at the end of a program and reports write errors.
#pragma once

namespace remixer {

// Flushes standard output. Returns `code`, or kExitFailure with a line on standard error if some of
// the output could not be written (a full disk, a closed pipe): otherwise a reader would take
// partial output for all of it. Must be the last call of every main().
int finish_output(const char* program, int code);

}  // namespace remixer
