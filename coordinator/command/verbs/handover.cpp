// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/verbs/handover.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "base/installation.h"
#include "coordinator/command/verbs/command.h"

namespace remixer::coordinator::command {
namespace {

struct Tool {
  const char* name;
  const char* description;
};
constexpr std::array<Tool, 4> kTools{
    {{"bench", "Measure how fast this machine runs the parts of a study"},
     {"dataset", "Build, import, list, verify and show data sets"},
     {"labels", "Build, inspect and verify patch labels"},
     {"model", "Export, import and run models"}}};

constexpr std::string_view kWorkspaceEquals = "--workspace=";

}  // namespace

std::optional<Handover> find_handover(int argc, char** argv) {
  Handover found;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if ((argument == "--workspace" || argument == "-w") && i + 1 < argc) {
      found.workspace = argv[++i];
    } else if (argument.starts_with(kWorkspaceEquals)) {
      found.workspace = argument.substr(kWorkspaceEquals.size());
    } else if (argument.size() > 2 && argument.starts_with("-w")) {
      found.workspace = argument.substr(2);  // -wDIR
    } else {
      const bool ours = std::none_of(kTools.begin(), kTools.end(),
                                     [&](const Tool& tool) { return argument == tool.name; });
      // Benchmarks of the coordinator run here; the tools run all others.
      const std::string_view what = i + 1 < argc ? argv[i + 1] : "";
      const bool daemons = argument == "bench" && (what == "scheduler" || what == "study");
      if (ours || daemons) return std::nullopt;
      found.arguments.assign(argv + i, argv + argc);
      return found;
    }
  }
  return std::nullopt;
}

int hand_over(const Handover& handover, char** argv) {
  const std::filesystem::path program = program_folder() / "remixer-tools";
  if (!handover.workspace.empty()) {
    ::setenv("REMIXER_WORKSPACE", handover.workspace.c_str(), 1);
  }
  std::vector<std::string> texts = handover.arguments;
  std::vector<char*> arguments{argv[0]};
  for (std::string& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  ::execv(program.c_str(), arguments.data());
  fail("`remixer {}` needs {}, which cannot be started ({}): build it with LibTorch (./setup does)",
       handover.arguments.front(), program.string(), errno_text(errno));
}

void add_handovers(CommandLine& line) {
  // Only for the list in `remixer --help`: find_handover handles them first.
  for (const Tool& tool : kTools) {
    // `bench` already exists here, for `bench scheduler`.
    if (std::string_view(tool.name) == "bench") continue;
    line.app.add_subcommand(tool.name, tool.description);
  }
}

}  // namespace remixer::coordinator::command
