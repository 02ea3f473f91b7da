// SPDX-License-Identifier: Apache-2.0
// Handles stop signals: SIGTERM, SIGINT, SIGUSR1 or SIGUSR2 (which Slurm sends before a time
// limit). Received on every rank, handled by rank 0.
#pragma once

namespace remixer::worker {

void listen_for_stop_signals();
// True once a signal has come. Async-signal-safe, thread-safe.
bool stop_signalled();

}  // namespace remixer::worker
