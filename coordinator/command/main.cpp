// SPDX-License-Identifier: Apache-2.0
#include "base/output.h"
#include "coordinator/command/verbs/command_line.h"

int main(int argc, char** argv) {
  return remixer::finish_output("remixer",
                                remixer::coordinator::command::run_command_line(argc, argv));
}
