// SPDX-License-Identifier: Apache-2.0
#include "base/child_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/child_environment.h"
#include "base/error.h"
#include "base/file.h"

namespace remixer {
namespace {

// Runs in the child. Only calls that are safe between fork and exec in a threaded program.
[[noreturn]] void become(char** arguments, char** variables, const cpu_set_t* cores, int log,
                         int null, pid_t parent, int report) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);
  // Start anyway if a core has gone offline meanwhile.
  if (cores) ::sched_setaffinity(0, sizeof *cores, cores);
  ::dup2(null, 0);
  ::dup2(log, 1);
  ::dup2(log, 2);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // Descriptors that libraries opened without close-on-exec: a listening socket, a database.
  ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
  for (const int each : {SIGINT, SIGTERM, SIGPIPE, SIGHUP}) ::signal(each, SIG_DFL);
  ::execve(arguments[0], arguments, variables);
  const int code = errno;
  // If even this write fails, there is no way left to report it.
  [[maybe_unused]] const ssize_t written = ::write(report, &code, sizeof(code));
  ::_exit(127);
}

// The session of a process, from /proc/<pid>/stat; 0 if the process is gone.
pid_t session_of(const std::string& pid) {
  std::string status;
  std::getline(std::ifstream("/proc/" + pid + "/stat"), status);
  const size_t bracket = status.rfind(')');
  if (bracket == std::string::npos) return 0;
  std::istringstream rest(status.substr(bracket + 1));
  std::string state;
  pid_t parent = 0, group = 0, session = 0;
  rest >> state >> parent >> group >> session;
  return session;
}

}  // namespace

pid_t start_child(const Command& command) {
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> variables = child_environment(command.environment, command.without);
  std::vector<char*> argument_list = exec_list(arguments), variable_list = exec_list(variables);
  fs::create_directories(command.log.parent_path());
  const int log = ::open(command.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) fail("cannot open {}: {}", command.log.string(), errno_text(errno));
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  int report[2] = {-1, -1};
  const bool piped = ::pipe2(report, O_CLOEXEC) == 0;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  for (const int core : command.cores) CPU_SET(core, &cores);
  const pid_t parent = ::getpid();
  const pid_t child = piped ? ::fork() : -1;
  if (child == 0) {
    become(argument_list.data(), variable_list.data(), command.cores.empty() ? nullptr : &cores,
           log, null, parent, report[1]);
  }
  int code = child < 0 ? errno : 0;
  ::close(log);
  ::close(null);
  if (piped) ::close(report[1]);
  // Empty once exec has closed the other end.
  if (child > 0 && ::read(report[0], &code, sizeof(code)) > 0) ::waitpid(child, nullptr, 0);
  if (piped) ::close(report[0]);
  if (code != 0) fail("cannot start {}: {}", arguments[0], errno_text(code));
  return child;
}

std::optional<int> child_ended(pid_t child) {
  int status = 0;
  const pid_t found = ::waitpid(child, &status, WNOHANG);
  if (found == 0 || (found < 0 && errno == EINTR)) return std::nullopt;
  if (found < 0) return 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void kill_session(pid_t child) {
  DIR* folder = ::opendir("/proc");
  if (!folder) return;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string name = entry->d_name;
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (session_of(name) == child) ::kill(static_cast<pid_t>(std::atoi(name.c_str())), SIGKILL);
  }
  ::closedir(folder);
}

fs::path find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  std::string folder;
  while (std::getline(folders, folder, ':')) {
    const fs::path candidate = fs::path(folder) / name;
    if (!folder.empty() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

}  // namespace remixer
