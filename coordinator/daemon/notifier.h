// SPDX-License-Identifier: Apache-2.0
// Notifies the owner when a grid ends or needs attention. Keeps the workspace below its quota as
// well: the errands that nobody should wait for.
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
  std::string url;                  // http[s]://..., to which the notice is posted as JSON
  std::optional<uint64_t> quota;    // bytes of the workspace
  double timeout_seconds = 60;      // for one call, which is then ended
  double look_seconds = 1;          // between two looks for notices
  double first_pause_seconds = 10;  // after a call that failed; doubled each time, up to an hour
  double collect_seconds = 300;     // between two looks at the quota
  double give_up_seconds = 7 * 24 * 3600;
  std::filesystem::path log;                       // what the command prints is appended to it
  std::function<void(const std::string&)> report;  // one line for the daemon's log; thread-safe
};

// A notice is taken off the list once command and webhook have taken it, so each is told at least
// once, also over restarts of the daemon; where there is neither, it is dropped. One thread; the
// engine must outlive it.
class Notifier {
 public:
  // Throws InputError where the command is no program or the address is none.
  Notifier(Engine& engine, NotifierOptions options);
  // Ends a call that is under way.
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace remixer::coordinator
