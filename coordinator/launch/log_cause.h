// SPDX-License-Identifier: Apache-2.0
// Extracts from a log why a program ended.
#pragma once

#include <string>
#include <string_view>

namespace remixer::coordinator {

// At most three lines joined into one: the first that mentions an error and those after it, without
// mpirun's epilogue; if none does, the first lines. Empty for an empty log.
std::string first_cause(std::string_view log);

}  // namespace remixer::coordinator
