// SPDX-License-Identifier: Apache-2.0
// The database of one workspace: everything that must outlive the daemon. One connection writes and
// checkpoints; readers outside open the file read-only and rely on the views alone.
//
// Not thread-safe: it belongs to the engine's thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "coordinator/scheduler/step.h"

namespace SQLite {
class Database;
}

namespace remixer::coordinator {

// An attempt as it was stored, with its worker's name.
struct StoredAttempt {
  Attempt attempt;
  std::string worker;
};

// What the scheduler does not hold of an assignment, as the database has it: read in the engine's
// thread, made into JSON in the thread of whoever asked.
struct AssignmentTexts {
  struct Task {
    std::string spec, result;
  };
  Task task;
  std::vector<Task> inputs;                                       // in the assignment's order
  std::string identity, labeler_name, dataset_name, recipe_name;  // of the cell; empty without one

  // Fills in the task's spec, its inputs' specs and results, the cell.
  void complete(experiments::protocol::Assignment& assignment) const;
};

class Store {
 public:
  // Opens or creates the file, checks it and brings it to the newest schema. Throws InputError on a
  // foreign, newer or damaged database, Error where it cannot be opened. ":memory:" lives as long
  // as the object.
  // `checkpoint_pages`: pages of the log after which it is written back to the database.
  explicit Store(const std::filesystem::path& file, int checkpoint_pages = 1000);
  // To read alone, as the database is now, whatever its daemon does meanwhile; nothing of this may
  // be committed to. An older schema is brought to the newest in memory. Throws as the other does;
  // `name` stands for the file in messages.
  Store(std::unique_ptr<SQLite::Database> readable, const std::string& name);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Applies all writes in one durable transaction, or none of them and throws Error, saying so
  // where the disk is full.
  void commit(const std::vector<Write>& writes);

  // The scheduler's state as of the last commit. Running attempts, and those whose end no worker
  // reported, hold their task for one lease from `now`, since it is not known when they were last
  // promised one.
  State load(const Now& now, const Settings& settings) const;

  AssignmentTexts texts(const experiments::protocol::Assignment& assignment) const;

  // Of a task that there is; its spec is whole, with its cell.
  Json spec(const TaskEntry& task) const;
  Json result(const TaskEntry& task) const;                          // null until it is done
  std::vector<StoredAttempt> attempts(const TaskEntry& task) const;  // oldest first
  std::vector<experiments::protocol::Figure> figures(const TaskEntry& task) const;

  // What the owner was not told yet, oldest first.
  std::vector<PutNotice> notices() const;

  // Of the workspace that the database belongs to; empty where none was set.
  std::string workspace_id() const;
  void set_workspace_id(const std::string& id);  // durable

 private:
  struct Connection;
  struct Writer;
  struct Loader;
  std::unique_ptr<Connection> connection_;
};

}  // namespace remixer::coordinator
