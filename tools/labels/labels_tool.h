// `remixer labels build|import|pin|inspect|verify|stats|quality|bench`.
#pragma once

namespace remixer::labelcache {

// Runs the command; argv[0] is its name and argv[1] the subcommand. Prints to standard output,
// progress and errors (one line) to standard error. Returns the exit code; throws nothing.
int labels_command(int argc, char** argv);

}  // namespace remixer::labelcache
