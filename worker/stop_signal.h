// SPDX-License-Identifier: Apache-2.0
// Stop signals: SIGTERM, SIGINT, SIGUSR1 or SIGUSR2 (which Slurm sends before a time limit). Heard
// on every rank, acted upon by rank 0.
#pragma once

namespace remixer::worker {

void listen_for_stop_signals();
// True from the first signal on. Async-signal-safe, thread-safe.
bool stop_signalled();

}  // namespace remixer::worker
