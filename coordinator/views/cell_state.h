// SPDX-License-Identifier: Apache-2.0
// The state of a cell in a grid, from the numbers of its tasks.
#pragma once

#include <cstdint>

namespace remixer::coordinator {

enum class CellState { kWaiting, kRunning, kDone, kFailed };

// `stuck`: failed, blocked and cancelled tasks.
inline CellState cell_state(int64_t tasks, int64_t done, int64_t running, int64_t stuck) {
  if (done == tasks) return CellState::kDone;
  if (stuck > 0) return CellState::kFailed;
  return running > 0 || done > 0 ? CellState::kRunning : CellState::kWaiting;
}

// As in the API: "waiting", "running", "done" or "failed".
inline const char* to_string(CellState state) {
  switch (state) {
    case CellState::kWaiting:
      return "waiting";
    case CellState::kRunning:
      return "running";
    case CellState::kDone:
      return "done";
    case CellState::kFailed:
      return "failed";
  }
  return "?";
}

}  // namespace remixer::coordinator
