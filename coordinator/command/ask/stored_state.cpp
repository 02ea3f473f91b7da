// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/ask/stored_state.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "base/clock.h"
#include "base/error.h"
#include "reports/read_database.h"

namespace remixer::coordinator::command {
namespace {

std::unique_ptr<SQLite::Database> open_database(const std::filesystem::path& file) {
  try {
    return reports::open_for_reading(file);
  } catch (const SQLite::Exception& error) {
    fail_input("{} cannot be read as a database of experiments: {}", file.string(), error.what());
  }
}

Settings settings_of(const std::filesystem::path& workspace) {
  Settings settings;
  settings.workspace = std::filesystem::absolute(workspace).string();
  return settings;
}

Now present() {
  return {system_clock().monotonic(), system_clock().wall()};
}

}  // namespace

struct StoredState::Parts {
  Parts(const std::filesystem::path& workspace, const std::filesystem::path& database)
      : settings(settings_of(workspace)),
        store(open_database(database), database.string()),
        state(store.load(present(), settings)) {
    for (auto& [id, worker] : state.workers) worker.gone = true;
  }

  Settings settings;
  Store store;
  State state;
};

StoredState::StoredState(const std::filesystem::path& workspace,
                         const std::filesystem::path& database)
    : parts_(std::make_unique<Parts>(workspace, database)) {}

StoredState::~StoredState() = default;

Engine::View StoredState::view() const {
  return {parts_->state, parts_->store, parts_->settings, present()};
}

}  // namespace remixer::coordinator::command
