// SPDX-License-Identifier: Apache-2.0
// Runs the command line of `remixer-tools`.
#pragma once

namespace remixer::tools {

// Runs the command that argv[1] names; reports an error in one line on standard error. Returns the
// exit code: 0 done, 1 failed, 2 bad usage or bad input.
int run_tools(int argc, char** argv);

}  // namespace remixer::tools
