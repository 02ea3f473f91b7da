// SPDX-License-Identifier: Apache-2.0
// Subcommands of remixer-tools, the program beside this one that needs LibTorch or OpenCV.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace remixer::coordinator::command {

struct Handover {
  std::vector<std::string> arguments;  // from the subcommand's name on
  std::string workspace;  // --workspace, where it came before the subcommand; else empty
};

// Nothing where the command line does not name one of them. Looks at no more than the options
// before the subcommand, so that what follows reaches the tool untouched.
std::optional<Handover> find_handover(int argc, char** argv);

// Replaces this process by remixer-tools. Throws Error where it is not there.
int hand_over(const Handover& handover, char** argv);

}  // namespace remixer::coordinator::command
