// SPDX-License-Identifier: Apache-2.0
// Counts Ctrl-C and SIGTERM.
#pragma once

namespace remixer::coordinator::command {

// While an object exists, SIGINT, SIGTERM and SIGHUP are counted instead of ending the process; the
// third ends it at once, whatever it is doing. Only one object at a time.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // How many signals have come.
  int count() const;
  // Sleeps for at most `seconds`; returns true, and early, once more than `seen` signals have come.
  bool wait(double seconds, int seen = 0) const;
};

// Exit code of a program that was interrupted.
constexpr int kExitInterrupted = 130;

}  // namespace remixer::coordinator::command
