// SPDX-License-Identifier: Apache-2.0
// Where the files of this installation are, found from the running program: an installation can be
// moved as a whole. Thread-safe.
#pragma once

#include <filesystem>

namespace remixer {

// The running program's file. Throws Error if the system does not say where it is.
std::filesystem::path running_program();

// The folder of the running program; the other programs are beside it. Throws as running_program().
std::filesystem::path program_folder();

// The folder of the shared libraries that programs load while they run: ../lib.
std::filesystem::path library_folder();

// The folder of the labelers' networks: REMIXER_WEIGHTS from the environment; else
// ../share/remixer/weights of an installation, if it is there; else `of_the_build`, which ./setup
// fills.
std::filesystem::path weights_folder(const std::filesystem::path& of_the_build);

}  // namespace remixer
