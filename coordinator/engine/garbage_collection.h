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
  bool dry_run = false;           // only reports what it would free
  std::optional<uint64_t> quota;  // frees until the workspace uses at most this many bytes
  bool unknown = false;           // also files that no database knows: only on explicit request
};

// Why a file may be deleted, in order of deletion.
enum class Garbage {
  kRemoved,     // files of removed tasks
  kSuperseded,  // checkpoints replaced by a later attempt or by the finished model
  kRefused,     // models of attempts whose result was not accepted
  kStuck,       // checkpoints of failed and cancelled tasks: only to meet a quota
  kUnknown      // run folders of tasks unknown to the database: only on request
};
std::string_view to_string(Garbage garbage);

struct Collected {
  struct Item {
    std::string path;  // relative to the workspace
    Garbage why = Garbage::kRemoved;
    uint64_t bytes = 0;
    std::string task;  // its title; empty if unknown
  };
  std::vector<Item> items;
  uint64_t used = 0;   // bytes of the workspace before
  uint64_t freed = 0;  // or that would be freed
  // Run folders that the database does not know and that were kept.
  int64_t unknown_folders = 0;
  uint64_t unknown_bytes = 0;
  std::optional<uint64_t> quota;
  bool dry_run = false;
};
Json to_json(const Collected& collected);

// Without a quota, deletes everything but kStuck, and kUnknown only if `unknown`; with one, in the
// order above and oldest first, no more than needed. Never touches running attempts, the
// checkpoints they resume from, or files that a committed result names (result_files()). Reads the
// disk in the caller's thread.
Collected collect_garbage(Engine& engine, const CollectOptions& options);

}  // namespace remixer::coordinator
