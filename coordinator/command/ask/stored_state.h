// SPDX-License-Identifier: Apache-2.0
// Reads the scheduler's state from a workspace's database without a daemon, exactly as a daemon
// would load it, so that the daemon's own views can answer from it.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "coordinator/engine/engine.h"

namespace remixer::coordinator::command {

// Read-only: never changes the database. One thread at a time.
class StoredState {
 public:
  // Throws InputError if there is no database, or the file is not a ReMixer database; Error if it
  // cannot be read.
  StoredState(const std::filesystem::path& workspace, const std::filesystem::path& database);
  ~StoredState();

  // All workers count as gone, since there is no daemon that they could work for.
  Engine::View view() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace remixer::coordinator::command
