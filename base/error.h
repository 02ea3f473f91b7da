// SPDX-License-Identifier: Apache-2.0
// The two kinds of exception that end an operation, and how a program's exit code follows from
// them.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace remixer {

// Ends the current operation. The message is one line: what failed, where, and what to do about it.
// A program that ends on one exits with kExitFailure.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What the user gave is wrong (a file, a value, a command line): trying again cannot help. A
// program that ends on one exits with kExitBadInput; a task that ends on one is not retried.
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

// The text of errno's value `code`, as "No space left on device".
std::string errno_text(int code);

}  // namespace remixer
