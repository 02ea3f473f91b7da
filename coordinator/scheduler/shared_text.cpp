// SPDX-License-Identifier: Apache-2.0
#include "coordinator/scheduler/shared_text.h"

#include <mutex>
#include <unordered_set>

namespace remixer::coordinator {

Name::Name(const std::string& text) {
  static std::mutex mutex;
  static std::unordered_set<std::string> known;
  std::lock_guard lock(mutex);
  text_ = &*known.insert(text).first;
}

}  // namespace remixer::coordinator
