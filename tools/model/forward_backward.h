// SPDX-License-Identifier: Apache-2.0
// `remixer model`: lists architectures, runs one forward or backward pass, converts weights.
#pragma once

#include <vector>

namespace remixer::models {

// A subcommand that needs more than models, added by its own module.
struct ModelSubcommand {
  const char* name;
  const char* description;
  int (*run)(int argc, char** argv);  // argv[0] is its name
};

// argv[0] is "model", the rest its arguments. Returns the program's exit code; throws InputError
// and Error as the library does.
int model_command(int argc, char** argv, const std::vector<ModelSubcommand>& further = {});

}  // namespace remixer::models
