// SPDX-License-Identifier: Apache-2.0
// Prints the link that opens the dashboard.
#pragma once

#include <string>

#include "coordinator/command/ask/session.h"
#include "coordinator/command/verbs/command.h"

namespace remixer::coordinator::command {

// A new link and, over SSH, the command for the required tunnel; each line ends with a newline.
std::string dashboard_text(Session& session);

// Adds `remixer dashboard` to the command line.
void add_dashboard(CommandLine& line);

}  // namespace remixer::coordinator::command
