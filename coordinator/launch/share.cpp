#include "coordinator/launch/share.h"

#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace remixer::coordinator {

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

std::vector<std::string> own_gpus() {
  std::vector<std::string> gpus;
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) {
    std::istringstream names(visible);
    for (std::string name; std::getline(names, name, ',');) {
      if (!name.empty()) gpus.push_back(name);
    }
    return gpus;
  }
  while (std::filesystem::exists("/dev/nvidia" + std::to_string(gpus.size()))) {
    gpus.push_back(std::to_string(gpus.size()));
  }
  return gpus;
}

}  // namespace remixer::coordinator
