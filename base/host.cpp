// SPDX-License-Identifier: Apache-2.0
#include "base/host.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/file.h"

namespace remixer {

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

namespace {

// The part of /proc/<pid>/stat after the program's name, which is in parentheses and may contain
// anything: "S 1 2 ...".
std::string stat_fields(int64_t pid) {
  std::string text;
  std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/stat"), text);
  const size_t bracket = text.rfind(')');
  return bracket == std::string::npos || bracket + 2 > text.size() ? "" : text.substr(bracket + 2);
}

}  // namespace

std::string pid_namespace() {
  std::error_code code;
  return std::filesystem::read_symlink("/proc/self/ns/pid", code).string();
}

int64_t process_started(int64_t pid) {
  constexpr int kStartTime = 22 - 3;  // fields count from 1; the text starts at the third
  std::istringstream fields(stat_fields(pid));
  std::string field;
  for (int i = 0; i <= kStartTime; ++i) {
    if (!(fields >> field)) return 0;
  }
  return std::strtoll(field.c_str(), nullptr, 10);
}

bool process_alive(int64_t pid) {
  if (pid <= 0) return false;
  if (::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH) return false;
  return !stat_fields(pid).starts_with("Z");
}

std::vector<int> own_cores() {
  std::vector<int> cores;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(core, &set)) cores.push_back(core);
    }
  }
  if (cores.empty()) cores.push_back(0);
  return cores;
}

}  // namespace remixer
