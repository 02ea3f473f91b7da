// SPDX-License-Identifier: Apache-2.0
#include "tools/command/subcommand.h"

#include "base/error.h"
#include "base/installation.h"
#include "experiments/spec/imported.h"

namespace remixer::tools {

namespace fs = std::filesystem;

void add_example(CLI::App& command, const std::string& example) {
  command.footer("Example:\n  " + example);
}

CLI::Option* add_workspace(CLI::App& command, fs::path& workspace) {
  workspace = default_workspace();
  return command.add_option("-w,--workspace", workspace, kWorkspaceHelp)->type_name("DIR");
}

CLI::Option* add_dataset(CLI::App& command, const std::string& name, fs::path& dataset) {
  return command.add_option(name, dataset, "The data set's folder, or its name in the workspace")
      ->type_name("DATASET");
}

fs::path dataset_folder(const fs::path& given, const fs::path& workspace) {
  if (fs::exists(given)) return given;
  const auto named = experiments::folders_named(workspace, given.string());
  if (named.size() == 1) return named.front();
  if (named.size() > 1) {
    fail_input("{} data sets of the workspace {} are called {}; give the folder of one",
               named.size(), workspace.string(), given.string());
  }
  fail_input("{} is neither a folder nor the name of a data set in the workspace {}",
             given.string(), workspace.string());
}

}  // namespace remixer::tools
