// SPDX-License-Identifier: Apache-2.0
// What a workspace's database knows, without a daemon: the scheduler's state as a daemon would load
// it, for the very views that a daemon answers from.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "coordinator/engine/engine.h"

namespace remixer::coordinator::command {

// Read-only: nothing here can change the database. One thread at a time.
class StoredState {
 public:
  // Throws InputError where there is no database, or one that is not ours; Error where it cannot be
  // read.
  StoredState(const std::filesystem::path& workspace, const std::filesystem::path& database);
  ~StoredState();

  // Nobody works for a daemon that is not there: its workers are gone.
  Engine::View view() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace remixer::coordinator::command
