// SPDX-License-Identifier: Apache-2.0
#include "base/failpoint.h"

#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

namespace remixer {
namespace {

struct Wanted {
  std::string name;
  std::atomic<long> left{1};
  double sleep = 0;  // milliseconds
};

// Null if no failpoint is set, as in every normal run.
Wanted* wanted() {
  static Wanted* const found = []() -> Wanted* {
    const char* text = std::getenv("REMIXER_FAILPOINT");
    if (text == nullptr || *text == '\0') return nullptr;
    auto* wanted = new Wanted;
    wanted->name = text;
    const size_t colon = wanted->name.find(':');
    if (colon != std::string::npos) {
      const char* const count = wanted->name.c_str() + colon + 1;
      if (*count == '~') {
        wanted->sleep = std::strtod(count + 1, nullptr);
      } else {
        wanted->left = std::strtol(count, nullptr, 10);
      }
      wanted->name.resize(colon);
    }
    return wanted;
  }();
  return found;
}

}  // namespace

void failpoint(const char* name) {
  Wanted* const point = wanted();
  if (point == nullptr || point->name != name) return;
  if (point->sleep > 0) {
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(point->sleep));
    return;
  }
  if (--point->left == 0) ::raise(SIGKILL);
}

}  // namespace remixer
