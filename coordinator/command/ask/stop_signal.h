// SPDX-License-Identifier: Apache-2.0
// Counts Ctrl-C and SIGTERM.
#pragma once

namespace remixer::coordinator::command {

// While one lives, SIGINT, SIGTERM and SIGHUP are counted instead of ending the process; the third
// ends it at once, whatever it is doing. One at a time.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // How often it came.
  int count() const;
  // Sleeps for at most `seconds`; true, and early, where a signal beyond the first `seen` has come.
  bool wait(double seconds, int seen = 0) const;
};

// What a program that was interrupted exits with.
constexpr int kExitInterrupted = 130;

}  // namespace remixer::coordinator::command
