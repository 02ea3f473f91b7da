// SPDX-License-Identifier: Apache-2.0
// Ends the leases of attempts whose worker has not reported, or has made no progress, for too long.
#include <string>
#include <vector>

#include "coordinator/scheduler/handlers.h"

namespace remixer::coordinator {

void handle(Transition& t, const TickEvent&) {
  const std::vector<std::string> held(t.state.held.begin(), t.state.held.end());
  for (const std::string& id : held) {
    TaskEntry& entry = t.state.task(id);
    const Attempt& attempt = *entry.newest;
    if (attempt.state != AttemptState::kRunning) {
      if (attempt.held_until <= t.now.monotonic) t.state.held.erase(id);
    } else if (attempt.held_until <= t.now.monotonic) {
      lose_attempt(t, entry,
                   fmt::format("no heartbeat for {:.0f} s from its worker, at step {}",
                               t.now.monotonic - attempt.heard_at, attempt.step),
                   false, true);
    } else if (attempt.progress_at + t.settings.stall_seconds <= t.now.monotonic) {
      fail_attempt(
          t, entry,
          fmt::format("no progress for {:.0f} s at step {} of {}",
                      t.now.monotonic - attempt.progress_at, attempt.step, attempt.total_steps),
          false);
    }
  }
}

}  // namespace remixer::coordinator
