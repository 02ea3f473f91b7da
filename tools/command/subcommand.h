// SPDX-License-Identifier: Apache-2.0
// What the subcommands of remixer-tools share: the example of their help, the workspace, and how a
// data set is named.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

namespace remixer::tools {

// `example`, one line that a user can type, ends the help text.
void add_example(CLI::App& command, const std::string& example);

// -w,--workspace. Sets `workspace` to the default.
CLI::Option* add_workspace(CLI::App& command, std::filesystem::path& workspace);

// An option or positional whose value goes through dataset_folder().
CLI::Option* add_dataset(CLI::App& command, const std::string& name,
                         std::filesystem::path& dataset);

// The given folder, or the workspace's data set of that name. Throws InputError if it is neither.
std::filesystem::path dataset_folder(const std::filesystem::path& given,
                                     const std::filesystem::path& workspace);

}  // namespace remixer::tools
