// SPDX-License-Identifier: Apache-2.0
// The database of one workspace: everything that must survive the daemon. One connection writes and
// checkpoints; outside readers open the file read-only and rely only on the views.
//
// Not thread-safe: used only by the engine's thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "coordinator/scheduler/step.h"

namespace SQLite {
class Database;
}

namespace remixer::coordinator {

// A stored attempt with its worker's name.
struct StoredAttempt {
  Attempt attempt;
  std::string worker;
};

// The parts of an assignment that only the database holds: read on the engine's thread, converted
// to JSON on the requesting thread.
struct AssignmentTexts {
  struct Task {
    std::string spec, result;
  };
  Task task;
  std::vector<Task> inputs;                                       // in the assignment's order
  std::string identity, labeler_name, dataset_name, recipe_name;  // of the cell, or empty

  // Fills in the task's spec, its inputs' specs and results, the cell.
  void complete(experiments::protocol::Assignment& assignment) const;
};

class Store {
 public:
  // Opens or creates the file, checks it and migrates it to the newest schema. Throws InputError on
  // a foreign, newer or damaged database, Error if it cannot be opened. ":memory:" exists as long
  // as the object.
  // `checkpoint_pages`: pages in the write-ahead log that trigger a checkpoint. `patience`: how
  // long to wait for a program that is reading the file, such as a report: the journal's mode
  // cannot be changed meanwhile.
  explicit Store(const std::filesystem::path& file, int checkpoint_pages = 1000,
                 std::chrono::milliseconds patience = std::chrono::seconds(30));
  // Read-only snapshot of the database, whatever its daemon does meanwhile; do not commit to it. An
  // older schema is migrated in memory. Throws as the other constructor; `name` is the file name in
  // messages.
  Store(std::unique_ptr<SQLite::Database> readable, const std::string& name);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Applies all writes in one durable transaction, or none of them and throws Error, which says so
  // if the disk is full.
  void commit(const std::vector<Write>& writes);

  // The scheduler's state as of the last commit. Running attempts, and those whose end no worker
  // reported, hold their task for one lease from `now`, since the end of their last lease is
  // unknown.
  State load(const Now& now, const Settings& settings) const;

  AssignmentTexts texts(const experiments::protocol::Assignment& assignment) const;

  // For an existing task; the spec is complete, with its cell.
  Json spec(const TaskEntry& task) const;
  Json result(const TaskEntry& task) const;                          // null until it is done
  std::vector<StoredAttempt> attempts(const TaskEntry& task) const;  // oldest first
  std::vector<experiments::protocol::Figure> figures(const TaskEntry& task) const;

  // Notices that the owner has not received yet, oldest first.
  std::vector<PutNotice> notices() const;

  // Id of the workspace that the database belongs to; empty if none was set.
  std::string workspace_id() const;
  void set_workspace_id(const std::string& id);  // durable

 private:
  struct Connection;
  struct Writer;
  struct Loader;
  std::unique_ptr<Connection> connection_;
};

}  // namespace remixer::coordinator
