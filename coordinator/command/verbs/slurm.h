// SPDX-License-Identifier: Apache-2.0
// `remixer slurm`, a group of subcommands.
#pragma once

#include "coordinator/command/verbs/command.h"

namespace remixer::coordinator::command {

void add_slurm(CommandLine& line);

}  // namespace remixer::coordinator::command
