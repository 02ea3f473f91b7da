// SPDX-License-Identifier: Apache-2.0
// Flushes standard output at the end of a program and reports write errors.
#pragma once

namespace remixer {

// Sends off what standard output still holds. Returns `code`, or kExitFailure with a line on
// standard error where some of the output could not be written (a full disk, a closed pipe): who
// reads it would otherwise take a part for the whole. The last call of every main().
int finish_output(const char* program, int code);

}  // namespace remixer
