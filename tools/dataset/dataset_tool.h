// SPDX-License-Identifier: Apache-2.0
// `remixer dataset build|import|list|verify|sheet`.
#pragma once

namespace remixer::data {

// Runs the command: argv[0] is "dataset", the rest its arguments. Prints to standard output, and
// progress to standard error. Returns the exit code: 0 done, 1 a dataset is invalid, 2 bad usage
// (explained on standard error). Throws InputError and Error as the library does.
int dataset_command(int argc, char** argv);

}  // namespace remixer::data
