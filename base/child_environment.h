// SPDX-License-Identifier: Apache-2.0
// What exec needs of a child process: its environment, and lists of C strings.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace remixer {

// This process's variables as NAME=VALUE, without those whose names begin with one of `without`,
// with `changes` put over them. Reads `environ`: not while another thread calls setenv.
std::vector<std::string> child_environment(const std::map<std::string, std::string>& changes,
                                           const std::vector<std::string>& without);

// Pointers into `texts`, then nullptr, as argv and envp are. Valid while `texts` is unchanged.
std::vector<char*> exec_list(std::vector<std::string>& texts);

}  // namespace remixer
