// SPDX-License-Identifier: Apache-2.0
#include "base/capture_output.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/child_environment.h"
#include "base/clock.h"
#include "base/error.h"

namespace remixer {
namespace {

class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) fail("cannot make a pipe: {}", errno_text(errno));
  }
  ~Pipe() {
    close_writing();
    ::close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }
  void close_writing() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

pid_t spawn(std::vector<std::string> arguments, std::vector<std::string> variables, int output,
            int errors) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, 1);
  ::posix_spawn_file_actions_adddup2(&actions, errors, 2);
  ::posix_spawnattr_init(&attributes);
  // A separate process group, so that a terminal's Ctrl-C does not reach it.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t child = 0;
  const int code = ::posix_spawnp(&child, arguments[0].c_str(), &actions, &attributes,
                                  exec_list(arguments).data(), exec_list(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (code != 0) fail("cannot start {}: {}", arguments[0], errno_text(code));
  return child;
}

// Returns false at the end of the pipe.
bool read_some(int from, std::string& into) {
  std::array<char, 16384> buffer;
  const ssize_t got = ::read(from, buffer.data(), buffer.size());
  if (got > 0) into.append(buffer.data(), static_cast<size_t>(got));
  return got > 0 || (got < 0 && errno == EINTR);
}

// Returns false if the time ran out first.
bool read_all(int output, int errors, Captured& captured, double until) {
  std::array<pollfd, 2> watched = {pollfd{output, POLLIN, 0}, pollfd{errors, POLLIN, 0}};
  while (watched[0].fd >= 0 || watched[1].fd >= 0) {
    const double left = until - system_clock().monotonic();
    if (left <= 0) return false;
    if (::poll(watched.data(), watched.size(), static_cast<int>(left * 1000) + 1) < 0) continue;
    for (size_t i = 0; i < watched.size(); ++i) {
      if (watched[i].fd < 0 || watched[i].revents == 0) continue;
      if (!read_some(watched[i].fd, i == 0 ? captured.output : captured.errors)) watched[i].fd = -1;
    }
  }
  return true;
}

}  // namespace

Captured run_captured(const std::vector<std::string>& arguments, double seconds,
                      const std::map<std::string, std::string>& environment,
                      const std::vector<std::string>& without) {
  Pipe output, errors;
  const pid_t child =
      spawn(arguments, child_environment(environment, without), output.writing(), errors.writing());
  output.close_writing();
  errors.close_writing();
  Captured captured;
  const bool ended =
      read_all(output.reading(), errors.reading(), captured, system_clock().monotonic() + seconds);
  if (!ended) ::kill(-child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!ended) fail("{} did not answer within {:g} s", arguments[0], seconds);
  captured.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return captured;
}

}  // namespace remixer
