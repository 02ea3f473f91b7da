// SPDX-License-Identifier: Apache-2.0
#include "worker/stop_signal.h"

#include <signal.h>

#include <atomic>

namespace remixer::worker {
namespace {

std::atomic<bool> signalled{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_signal(int) {
  signalled.store(true);
}

}  // namespace

void listen_for_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (int number : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) ::sigaction(number, &action, nullptr);
}

bool stop_signalled() {
  return signalled.load();
}

}  // namespace remixer::worker
