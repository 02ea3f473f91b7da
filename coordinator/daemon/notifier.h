// SPDX-License-Identifier: Apache-2.0
// Notifies the owner when a grid ends or needs attention, and keeps the workspace below its quota:
// background jobs that no request should wait for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "coordinator/engine/engine.h"

namespace remixer::coordinator {

struct NotifierOptions {
  // A program that is called as PROGRAM EVENT GRID, without a shell; the notice is in its
  // environment: $REMIXER_NOTICE (JSON), $REMIXER_EVENT, $REMIXER_GRID, $REMIXER_GRID_ID.
  std::filesystem::path command;
  std::string url;                         // http[s]://...; the notice is posted to it as JSON
  std::optional<int64_t> quota;            // bytes of the workspace
  double timeout_seconds = 60;             // per call; then the call is ended
  double look_seconds = 1;                 // interval of checks for notices
  double first_pause_seconds = 10;         // after a failed call; doubled each time, up to an hour
  double collect_seconds = 300;            // interval of quota checks
  double give_up_seconds = 7 * 24 * 3600;  // after a notice's event; then it is dropped
  std::filesystem::path log;               // the command's output is appended to it
  std::function<void(const std::string&)> report;  // one line for the daemon's log; thread-safe
};

// A notice is removed from the list once command and webhook have accepted it, so each is delivered
// at least once, even across restarts of the daemon, unless they fail for give_up_seconds; with
// neither of them it is dropped. One thread; the engine must outlive it.
class Notifier {
 public:
  // Throws InputError if the command is not a program or the URL is invalid.
  Notifier(Engine& engine, NotifierOptions options);
  // Ends a running call.
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace remixer::coordinator
