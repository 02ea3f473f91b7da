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

namespace remixer::coordinator {

// An attempt as it was stored, with its worker's name.
struct StoredAttempt {
  Attempt attempt;
  std::string worker;
};

class Store {
 public:
  // Opens or creates the file, checks it and brings it to the newest schema. Throws InputError on a
  // foreign, newer or damaged database, Error where it cannot be opened. ":memory:" lives as long
  // as the object.
  explicit Store(const std::filesystem::path& file);
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

  std::vector<StoredAttempt> attempts(const std::string& task_id) const;  // oldest first
  std::vector<experiments::protocol::Figure> figures(const std::string& task_id) const;

 private:
  struct Connection;
  struct Writer;
  struct Loader;
  std::unique_ptr<Connection> connection_;
};

}  // namespace remixer::coordinator
