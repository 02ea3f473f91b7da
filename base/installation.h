// SPDX-License-Identifier: Apache-2.0
// Finds the files of this installation relative to the running program, so that an installation can
// be moved as a whole. Thread-safe.
#pragma once

#include <filesystem>

namespace remixer {

// The running program's file. Throws Error if the system does not report its path.
std::filesystem::path running_program();

// The folder of the running program and the other programs. Throws as running_program().
std::filesystem::path program_folder();

// The folder of the shared libraries that programs load at run time: ../lib.
std::filesystem::path library_folder();

// The folder of the labelers' networks: REMIXER_WEIGHTS from the environment; else
// ../share/remixer/weights of an installation, if it exists; else `of_the_build`, which ./setup
// fills.
std::filesystem::path weights_folder(const std::filesystem::path& of_the_build);

// The workspace that a command uses if none is named: REMIXER_WORKSPACE from the environment, else
// ./workspace.
std::filesystem::path default_workspace();
// Help of -w,--workspace, the same in every program.
inline constexpr const char* kWorkspaceHelp =
    "Folder of the data, runs and results [$REMIXER_WORKSPACE or ./workspace]";

}  // namespace remixer
