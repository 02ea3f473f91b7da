// SPDX-License-Identifier: Apache-2.0
// The workspace on disk: where its database is, who owns it, whether it can be written.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/json.h"

namespace remixer::coordinator {

// The folder of the database of `workspace`: $REMIXER_STATE_FOLDER if set; else the workspace
// itself; or, where that is on a network file system, a folder for it below $XDG_STATE_HOME
// (~/.local/state/remixer/<hash of the workspace's path>). Throws InputError where that is on a
// network file system too, since SQLite's locks cannot be relied on there.
std::filesystem::path state_folder(const std::filesystem::path& workspace);
// <state folder>/remixer.db
std::filesystem::path database_file(const std::filesystem::path& workspace);

// Creates the workspace's folders and proves that it can be written by writing to it. Throws
// InputError saying what is wrong (read-only, full, not a folder) and what to do. Returns the
// absolute path.
std::filesystem::path prepare_workspace(const std::filesystem::path& workspace);

// Whether a daemon has the workspace at this moment: its lock is held on this host, or another host
// has renewed its claim within the last minute. Changes nothing.
bool workspace_owned(const std::filesystem::path& workspace);

// Ownership of a workspace, held until destruction or death. On this host a lock on daemon.lock
// decides; on another host of a shared file system the text in it does, which the owner renews.
class WorkspaceLock {
 public:
  // Throws InputError naming the owner where another daemon has the workspace.
  explicit WorkspaceLock(const std::filesystem::path& workspace);
  ~WorkspaceLock();
  WorkspaceLock(const WorkspaceLock&) = delete;
  WorkspaceLock& operator=(const WorkspaceLock&) = delete;

  // To be called every few seconds. Throws Error where another host has taken the workspace.
  void renew();
  static constexpr double kRenewSeconds = 5;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace remixer::coordinator
