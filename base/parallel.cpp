// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace remixer {

unsigned available_threads() {
  cpu_set_t cpus;
  if (::sched_getaffinity(0, sizeof(cpus), &cpus) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&cpus)));
}

void parallel_for(int64_t count, unsigned threads, const std::function<void(int64_t)>& body,
                  const std::function<void(int64_t)>& on_done) {
  constexpr int64_t kReportEvery = 64;
  std::atomic<int64_t> next{0};
  std::atomic<bool> stopped{false};
  std::mutex mutex;
  int64_t done = 0;
  std::exception_ptr failure;

  const auto work = [&] {
    try {
      for (int64_t i = next++; i < count && !stopped; i = next++) {
        body(i);
        const std::lock_guard lock(mutex);
        ++done;
        if (on_done && !failure && (done % kReportEvery == 0 || done == count)) on_done(done);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      stopped = true;
    }
  };

  if (threads == 0) threads = available_threads();
  const auto helpers = std::min<int64_t>(threads, count) - 1;
  std::vector<std::jthread> pool;
  for (int64_t i = 0; i < helpers; ++i) pool.emplace_back(work);
  work();
  pool.clear();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace remixer
