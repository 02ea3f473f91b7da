// SPDX-License-Identifier: Apache-2.0
#include "base/proc_entry.h"

#include <fstream>
#include <sstream>
#include <string>

namespace remixer {

std::optional<int64_t> proc_entry(const std::filesystem::path& file, std::string_view name) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string key;
    int64_t value = 0;
    if (words >> key >> value && key == name) return value;
  }
  return std::nullopt;
}

}  // namespace remixer
