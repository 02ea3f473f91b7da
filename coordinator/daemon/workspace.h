// SPDX-License-Identifier: Apache-2.0
// The workspace on disk: location of its database, ownership, writability.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/json.h"

namespace remixer::coordinator {

// The folder of the database of `workspace`: $REMIXER_STATE_FOLDER if set; else the workspace
// itself; or, if that is on a network file system, a folder for it below $XDG_STATE_HOME
// (~/.local/state/remixer/<hash of the workspace's path>). Throws InputError if that is on a
// network file system too, since SQLite's locks are not reliable there.
std::filesystem::path state_folder(const std::filesystem::path& workspace);
// <state folder>/remixer.db
std::filesystem::path database_file(const std::filesystem::path& workspace);

// Creates the workspace's folders and checks that it is writable by writing to it. Throws
// InputError saying what is wrong (read-only, full, not a folder) and what to do; for an export
// before it writes anything. Returns the absolute path.
std::filesystem::path prepare_workspace(const std::filesystem::path& workspace);

// Whether a daemon owns the workspace now: its lock is held on this host, or another host has
// renewed its ownership within the last minute. Changes nothing.
bool workspace_owned(const std::filesystem::path& workspace);

// Ownership of a workspace, held until destruction or process death. On this host a lock on
// daemon.lock decides; between hosts of a shared file system its text does, which the owner renews.
class WorkspaceLock {
 public:
  // Throws InputError naming the owner if another daemon owns the workspace.
  explicit WorkspaceLock(const std::filesystem::path& workspace);
  ~WorkspaceLock();
  WorkspaceLock(const WorkspaceLock&) = delete;
  WorkspaceLock& operator=(const WorkspaceLock&) = delete;

  // Call every few seconds. Throws Error if another host has taken the workspace.
  void renew();
  static constexpr double kRenewSeconds = 5;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace remixer::coordinator
