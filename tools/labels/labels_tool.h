// SPDX-License-Identifier: Apache-2.0
// `remixer labels build|import|pin|inspect|verify|stats|quality|bench`.
#pragma once

#include <filesystem>

namespace remixer::labelcache {

// Runs the command; argv[0] is its name and argv[1] the subcommand. Prints to standard output,
// progress and errors (one line) to standard error. Returns the exit code; throws nothing.
int labels_command(int argc, char** argv);

// The folder of the networks' weights: $REMIXER_WEIGHTS, else where ./setup puts them.
std::filesystem::path default_weights();

}  // namespace remixer::labelcache
