// SPDX-License-Identifier: Apache-2.0
// Runs a command line inside the test's own process, as its main() would.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

namespace remixer::testing {

struct Answer {
  int code = 0;
  std::string out, error;
};

// What `main` answers to `arguments`, called by `name` (argv[0]). Exceptions pass through.
inline Answer answer_of(int (*main)(int, char**), const std::string& name,
                        std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), name);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Answer answer;
  std::exception_ptr failure;
  try {
    answer.code = main(static_cast<int>(arguments.size()), argv.data());
  } catch (...) {
    failure = std::current_exception();
  }
  std::cout.flush();
  std::fflush(nullptr);
  answer.out = ::testing::internal::GetCapturedStdout();
  answer.error = ::testing::internal::GetCapturedStderr();
  if (failure) std::rethrow_exception(failure);
  return answer;
}

}  // namespace remixer::testing
