// SPDX-License-Identifier: Apache-2.0
// Real programs run by tests: started, waited for or killed, their output read.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"

namespace remixer::testing {

// A folder of the test's own, removed with everything in it at the end.
using ScratchFolder = TemporaryFolder;

struct Finished {
  int code = -1;  // exit code, or 128 + signal
  std::string output, errors;
  double seconds = 0;
};

// A child process in a process group of its own, its output in files of `folder`.
class Program {
 public:
  Program(const std::vector<std::string>& command, const fs::path& folder)
      : output_(folder / unique("out")),
        errors_(folder / unique("err")),
        start_(std::chrono::steady_clock::now()) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, output_.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                     0644);
    posix_spawn_file_actions_addopen(&actions, 2, errors_.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                     0644);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    std::vector<char*> arguments;
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const int failed =
        ::posix_spawnp(&pid_, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (failed) fail("cannot start {}: {}", command[0], errno_text(failed));
  }
  ~Program() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }
  // False once it has ended; its exit code is then lost.
  bool running() {
    if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) != 0) pid_ = -1;
    return pid_ > 0;
  }
  void signal(int number) {
    if (pid_ > 0) ::kill(pid_, number);
  }
  std::string output() const { return read_file_if_exists(output_).value_or(""); }
  std::string errors() const { return read_file_if_exists(errors_).value_or(""); }

  // Waits at most `seconds`, then kills and says so.
  Finished wait(double seconds = 120) {
    int status = 0;
    const double until = elapsed() + seconds;
    while (::waitpid(pid_, &status, WNOHANG) == 0) {
      if (elapsed() > until) {
        ::kill(-pid_, SIGKILL);
        ::waitpid(pid_, &status, 0);
        pid_ = -1;
        fail("a program did not end within {} s; it wrote:\n{}\n{}", seconds, output(), errors());
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    pid_ = -1;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), output(), errors(),
            elapsed()};
  }

 private:
  static std::string unique(const std::string& stem) {
    static int counter = 0;
    return fmt::format(".{}-{}", stem, counter++);
  }
  double elapsed() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  fs::path output_, errors_;
  std::chrono::steady_clock::time_point start_;
  pid_t pid_ = -1;
};

inline Finished run_program(const std::vector<std::string>& command, const fs::path& folder,
                            double seconds = 120) {
  return Program(command, folder).wait(seconds);
}

// Looks until `condition` holds; false after `seconds`.
inline bool eventually(const std::function<bool()>& condition, double seconds = 30) {
  const auto start = std::chrono::steady_clock::now();
  while (!condition()) {
    if (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > seconds)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace remixer::testing
