// SPDX-License-Identifier: Apache-2.0
// Child processes, each in a session that a terminal's Ctrl-C does not reach.
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
  std::map<std::string, std::string> environment;  // set over this process's own
  std::vector<std::string> without;                // beginnings of names that are taken out of it
  std::filesystem::path log;                       // standard output and error are appended to it
  std::vector<int> cores;                          // that it may run on; empty: as this process
};

// Starts it. The child is sent SIGTERM when the calling *thread* ends, so it is to be called from
// one that lives as long as the child should. Throws Error where it cannot be started.
pid_t start_child(const Command& command);

// The exit code (128 + the signal for one that was killed) once the child has ended, and is then
// forgotten; nothing while it runs. Only for children of start_child.
std::optional<int> child_ended(pid_t child);

// Kills every process of the child's session that is still there.
void kill_session(pid_t child);

// The path of a program on PATH; empty where there is none.
std::filesystem::path find_program(const std::string& name);

}  // namespace remixer
