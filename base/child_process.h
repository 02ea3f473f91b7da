// SPDX-License-Identifier: Apache-2.0
// Starts child processes, each in its own session so that a terminal's Ctrl-C does not reach it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace remixer {

struct Command {
  std::vector<std::string> arguments;              // [0] is the program's path
  std::map<std::string, std::string> environment;  // overrides this process's own
  std::vector<std::string> without;                // prefixes of variable names to remove
  std::filesystem::path log;                       // standard output and error are appended to it
  std::vector<int> cores;                          // cores it may run on; empty: as this process
};

// Starts the child. It receives SIGTERM when the calling *thread* ends, so call this from a thread
// that lives as long as the child should. Throws Error if it cannot be started.
pid_t start_child(const Command& command);

// The exit code once the child has ended (128 + the signal if it was killed); the child is then
// forgotten. Nothing while it runs. Only for children of start_child.
std::optional<int> child_ended(pid_t child);

// Kills every process still left in the child's session.
void kill_session(pid_t child);

// The path of a program on PATH; empty if there is none.
std::filesystem::path find_program(const std::string& name);

}  // namespace remixer
