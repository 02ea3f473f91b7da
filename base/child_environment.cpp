// SPDX-License-Identifier: Apache-2.0
#include "base/child_environment.h"

#include <algorithm>

extern char** environ;

namespace remixer {

std::vector<std::string> child_environment(const std::map<std::string, std::string>& changes,
                                           const std::vector<std::string>& without) {
  std::vector<std::string> variables;
  for (char** each = environ; *each; ++each) {
    const std::string pair = *each;
    const bool dropped = std::any_of(without.begin(), without.end(), [&](const std::string& start) {
      return pair.starts_with(start);
    });
    if (!dropped && !changes.count(pair.substr(0, pair.find('=')))) variables.push_back(pair);
  }
  for (const auto& [name, value] : changes) variables.push_back(name + "=" + value);
  return variables;
}

std::vector<char*> exec_list(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

}  // namespace remixer
