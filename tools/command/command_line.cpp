// SPDX-License-Identifier: Apache-2.0
#include "tools/command/command_line.h"

#include <fmt/format.h>

#include <iostream>
#include <string_view>

#include "base/error.h"
#include "tools/bench/bench.h"
#include "tools/dataset/dataset_tool.h"
#include "tools/labels/labels_tool.h"
#include "tools/model/model_command.h"
#include "tools/rehearsal/rehearsal_tool.h"

namespace remixer::tools {
namespace {

struct Command {
  const char* name;
  const char* description;
  int (*run)(int argc, char** argv);  // argv[0] is the command's own name
};

constexpr Command kCommands[] = {
    {"bench", "Measure how fast this machine runs the parts of a study", worker::bench_command},
    {"dataset", "Build, import, list, verify and show data sets", data::dataset_command},
    {"labels", "Build, inspect and verify patch labels", labelcache::labels_command},
    {"model", "Export, import and run models", worker::model_command},
    {"rehearsal", "Make the data and weights of `remixer rehearse`", rehearsal::rehearsal_command},
};

int run(const Command& command, int argc, char** argv) {
  try {
    return command.run(argc, argv);
  } catch (const InputError& error) {
    std::cerr << "remixer " << command.name << ": " << error.what() << '\n';
    return kExitBadInput;
  } catch (const std::exception& error) {
    std::cerr << "remixer " << command.name << ": " << error.what() << '\n';
    return kExitFailure;
  }
}

void print_usage(std::ostream& out) {
  out << "The subcommands of `remixer` that need LibTorch or OpenCV (`remixer --help` lists all)\n"
         "Usage: remixer-tools SUBCOMMAND ...\n\nSubcommands:\n";
  for (const Command& command : kCommands) {
    out << fmt::format("  {:<28}{}\n", command.name, command.description);
  }
}

}  // namespace

int run_tools(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  for (const Command& command : kCommands) {
    if (name == command.name) return run(command, argc - 1, argv + 1);
  }
  const bool help = name == "--help" || name == "-h";
  print_usage(help ? std::cout : std::cerr);
  return help ? kExitDone : kExitBadInput;
}

}  // namespace remixer::tools
