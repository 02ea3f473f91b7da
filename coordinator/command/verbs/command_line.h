// SPDX-License-Identifier: Apache-2.0
// Runs the command line of `remixer`.
#pragma once

namespace remixer::coordinator::command {

// Parses and runs the command; reports an error in one line on standard error. Returns the exit
// code: 0 done, 1 failed, 2 bad usage or bad input, 130 interrupted.
int run_command_line(int argc, char** argv);

}  // namespace remixer::coordinator::command
