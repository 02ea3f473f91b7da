// SPDX-License-Identifier: Apache-2.0
// Reads help texts as CLI11 prints them.
#pragma once

#include <sstream>
#include <string>
#include <vector>

namespace remixer::testing {

// The names below "Subcommands:".
inline std::vector<std::string> subcommands_in(const std::string& help) {
  std::vector<std::string> names;
  std::istringstream lines(help);
  bool among = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) among = false;
    // Descriptions go on in lines that are indented further.
    if (among && line.starts_with("  ") && line.at(2) != ' ') {
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
    }
    if (line == "Subcommands:") among = true;
  }
  return names;
}

// The first line of the example at the end; empty if there is none.
inline std::string example_in(const std::string& help) {
  const std::string heading = "\nExample:\n  ";
  const size_t at = help.find(heading);
  if (at == std::string::npos) return "";
  const size_t begin = at + heading.size();
  return help.substr(begin, help.find('\n', begin) - begin);
}

}  // namespace remixer::testing
