// SPDX-License-Identifier: Apache-2.0
// Garbage collection: finds files in the workspace that no result and no attempt needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/engine/engine.h"

namespace remixer::coordinator {

struct CollectOptions {
  bool dry_run = false;           // says what it would free
  std::optional<uint64_t> quota;  // frees until the workspace takes no more bytes than this
  bool unknown = false;           // also what no database knows: only where somebody asked for it
};

// Why something may go; in the order in which it goes.
enum class Garbage {
  kRemoved,     // of tasks that were removed
  kSuperseded,  // checkpoints that a later attempt, or the finished model, has replaced
  kRefused,     // models of attempts whose result was not taken
  kStuck,       // checkpoints of failed and cancelled tasks: only for a quota's sake
  kUnknown      // run folders of tasks that the database does not know: only where asked for
};
std::string_view to_string(Garbage garbage);

struct Collected {
  struct Item {
    std::string path;  // relative to the workspace
    Garbage why = Garbage::kRemoved;
    uint64_t bytes = 0;
    std::string task;  // its title; empty where it is not known
  };
  std::vector<Item> items;
  uint64_t used = 0;   // bytes of the workspace before
  uint64_t freed = 0;  // or what would be
  // Run folders that the database does not know and that were left alone.
  int64_t unknown_folders = 0;
  uint64_t unknown_bytes = 0;
  std::optional<uint64_t> quota;
  bool dry_run = false;
};
Json to_json(const Collected& collected);

// Without a quota everything but kStuck goes; with one, in the order above and the oldest first,
// no more than needed. Running attempts, what they go on from, and what a committed result names
// (result_files()) are never touched. Walks the disk in the caller's thread.
Collected collect_garbage(Engine& engine, const CollectOptions& options);

}  // namespace remixer::coordinator
