// SPDX-License-Identifier: Apache-2.0
// Runs a program and captures its output.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace remixer {

struct Captured {
  int code = 0;  // exit code, or 128 + the signal that ended it
  std::string output, errors;
};

// Runs it to completion without standard input. Environment variables whose name begins with one of
// `without` are not passed on, unless `environment` sets them. Throws Error if it cannot be started
// or has not ended after `seconds`; in that case it is killed. Thread-safe.
Captured run_captured(const std::vector<std::string>& arguments, double seconds,
                      const std::map<std::string, std::string>& environment = {},
                      const std::vector<std::string>& without = {});

}  // namespace remixer
