// SPDX-License-Identifier: Apache-2.0
// remixer-tools: the subcommands of `remixer` that need LibTorch or OpenCV. `remixer` hands over to
// it.
#include "base/host.h"
#include "base/output.h"
#include "tools/command/command_line.h"

int main(int argc, char** argv) {
  remixer::raise_open_file_limit();
  return remixer::finish_output("remixer", remixer::tools::run_tools(argc, argv));
}
