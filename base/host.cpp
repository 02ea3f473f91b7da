#include "base/host.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "base/file.h"

namespace remixer::coordinator {

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof(name) - 1);
  return name;
}

std::string boot_id() {
  std::string id;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
  return id;
}

void raise_open_file_limit() {
  constexpr rlim_t kMost = 65536;
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kMost) return;
  limit.rlim_cur = std::min(limit.rlim_max, kMost);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

bool process_alive(int64_t pid) {
  if (pid <= 0) return false;
  if (::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH) return false;
  // The state follows the program's name, which stands in brackets and may hold anything.
  std::string status;
  std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), status);
  const size_t bracket = status.rfind(')');
  return bracket == std::string::npos || status.compare(bracket, 3, ") Z") != 0;
}

}  // namespace remixer::coordinator
