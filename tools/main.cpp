// SPDX-License-Identifier: Apache-2.0
// remixer-tools: the subcommands of `remixer` that need LibTorch or OpenCV. `remixer` hands over to
// it.
#include <cstring>
#include <iostream>

#include "base/error.h"
#include "base/host.h"
#include "base/output.h"
#include "tools/bench/bench.h"
#include "tools/dataset/dataset_tool.h"
#include "tools/labels/labels_tool.h"
#include "tools/model/model_command.h"
#include "tools/rehearsal/rehearsal_tool.h"

namespace {

using remixer::kExitBadInput;

struct Command {
  const char* name;
  int (*run)(int argc, char** argv);  // argv[0] is the command's own name
};

constexpr Command kCommands[] = {
    {"bench", remixer::worker::bench_command},
    {"dataset", remixer::data::dataset_command},
    {"labels", remixer::labelcache::labels_command},
    {"model", remixer::worker::model_command},
    {"rehearsal", remixer::rehearsal::rehearsal_command},
};

int run(int argc, char** argv) {
  for (const Command& command : kCommands) {
    if (argc < 2 || std::strcmp(argv[1], command.name) != 0) continue;
    try {
      return command.run(argc - 1, argv + 1);
    } catch (const remixer::InputError& error) {
      std::cerr << "remixer " << command.name << ": " << error.what() << '\n';
      return kExitBadInput;
    } catch (const std::exception& error) {
      std::cerr << "remixer " << command.name << ": " << error.what() << '\n';
      return remixer::kExitFailure;
    }
  }
  std::cerr << "usage: remixer-tools bench|dataset|labels|model ... (see remixer --help)\n";
  return kExitBadInput;
}

}  // namespace

int main(int argc, char** argv) {
  remixer::raise_open_file_limit();
  return remixer::finish_output("remixer", run(argc, argv));
}
