// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/ask/stop_signal.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>

#include "base/clock.h"

namespace remixer::coordinator::command {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};
std::atomic<int> received{0};
std::array<struct sigaction, kSignals.size()> before;

void on_signal(int) {
  if (received.fetch_add(1) + 1 >= 3) ::_exit(kExitInterrupted);
}

}  // namespace

StopSignal::StopSignal() {
  received = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &before[i]);
    // A program under nohup continues when the terminal closes.
    if (kSignals[i] == SIGHUP && before[i].sa_handler == SIG_IGN) continue;
    ::sigaction(kSignals[i], &action, nullptr);
  }
}

StopSignal::~StopSignal() {
  for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before[i], nullptr);
}

int StopSignal::count() const {
  return received;
}

bool StopSignal::wait(double seconds, int seen) const {
  // Another thread may receive the signal, which does not wake this one: sleep in short pieces.
  constexpr double kPiece = 0.05;
  const double end = system_clock().monotonic() + seconds;
  while (received <= seen) {
    const double left = end - system_clock().monotonic();
    if (left <= 0) return false;
    ::poll(nullptr, 0, static_cast<int>(std::ceil(1000 * std::min(left, kPiece))));
  }
  return true;
}

}  // namespace remixer::coordinator::command
