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

// Runs it to its end without standard input. Environment variables whose name begins with one of
// `without` are not passed on, unless `environment` sets them. Throws Error where it cannot be
// started, or has not ended after `seconds`; it is then killed. Thread-safe.
Captured run_captured(const std::vector<std::string>& arguments, double seconds,
                      const std::map<std::string, std::string>& environment = {},
                      const std::vector<std::string>& without = {});

}  // namespace remixer
