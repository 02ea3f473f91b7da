// SPDX-License-Identifier: Apache-2.0
// The two exception types that end an operation: failures and bad input. Each leads to its own
// program exit code.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace remixer {

// Ends the current operation. The message is one line: what failed, where, and what to do about it.
// A program that fails with it exits with kExitFailure.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The user's input is wrong (a file, a value, a command line), so a retry cannot help. A program
// that fails with it exits with kExitBadInput; a task that fails with it is not retried.
class InputError : public Error {
 public:
  using Error::Error;
};

constexpr int kExitDone = 0;
constexpr int kExitFailure = 1;
constexpr int kExitBadInput = 2;

// Throws Error or InputError with a formatted message.
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
[[noreturn]] void fail_input(fmt::format_string<Args...> format, Args&&... args) {
  throw InputError(fmt::format(format, std::forward<Args>(args)...));
}

// The text of errno value `code`, such as "No space left on device".
std::string errno_text(int code);

}  // namespace remixer
