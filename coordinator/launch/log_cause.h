// SPDX-License-Identifier: Apache-2.0
// Extracts from a log why a program ended.
#pragma once

#include <string>
#include <string_view>

namespace remixer::coordinator {

// At most three lines in one: the first that speaks of an error and those after it, without what
// mpirun adds at the end; the first of all where none does. Empty of an empty log.
std::string first_cause(std::string_view log);

}  // namespace remixer::coordinator
