// SPDX-License-Identifier: Apache-2.0
// Table definitions and the paper's numbers, embedded in the program: it needs no files.
#pragma once

#include <span>
#include <string_view>

namespace remixer::reports {

struct Embedded {
  std::string_view name;  // "table_1.toml", "paper_tables.csv"
  std::string_view bytes;
};

// Sorted by name.
std::span<const Embedded> embedded_files();

}  // namespace remixer::reports
