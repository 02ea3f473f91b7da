// SPDX-License-Identifier: Apache-2.0
// Compiles toml++ into the statically linked program: Debian has it as a shared library only.
#define TOML_IMPLEMENTATION 1
#include <toml++/toml.h>
