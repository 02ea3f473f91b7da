// SPDX-License-Identifier: Apache-2.0
// Hands subcommands over to remixer-tools, the program beside this one with LibTorch and OpenCV.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace remixer::coordinator::command {

struct Handover {
  std::vector<std::string> arguments;  // from the subcommand's name on
  std::string workspace;               // --workspace, if it came before the subcommand; else empty
};

// Nothing if the command line does not name one of these subcommands. Reads only the options before
// the subcommand, so that the tool gets the rest unchanged.
std::optional<Handover> find_handover(int argc, char** argv);

// Replaces this process by remixer-tools. Throws Error if that program is missing.
int hand_over(const Handover& handover, char** argv);

}  // namespace remixer::coordinator::command
