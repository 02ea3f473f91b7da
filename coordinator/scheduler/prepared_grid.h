// SPDX-License-Identifier: Apache-2.0
// A submitted grid prepared for the scheduler and the store: everything is hashed and serialised
// before the engine's thread is involved.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/scheduler/shared_text.h"
#include "experiments/protocol/messages.h"

namespace remixer::coordinator {

struct PreparedCell {
  std::string id;
  std::string identity;  // canonical JSON
  Name architecture, spatial_prior, labeler_name, dataset_name, recipe_name, precision;
  int64_t seed = 0;
  int64_t shards = 0;
};

struct PreparedTask {
  std::string id;
  experiments::TaskKind kind = experiments::TaskKind::kPrepare;
  int32_t cell = -1;  // index into the grid's cells; -1 for prepare and label
  std::string title;
  std::string spec;  // JSON; without the cell's identity
  Name similar;      // the same for tasks with similar durations
  Name weights;      // see weights_file()
  // For a dependency that comes earlier in the grid: its index there. For any other one: -1 - its
  // index in `elsewhere`.
  std::vector<int32_t> dependencies;
  double cost = 0;  // stated_seconds(), for the first task of its `similar`; 0: unknown
};

struct PreparedGrid {
  std::string name, description, text;
  std::optional<experiments::protocol::GridSettings> settings;
  std::vector<PreparedCell> cells;
  std::vector<PreparedTask> tasks;
  std::vector<std::string> elsewhere;  // ids of tasks that must already be known

  const std::string& dependency_id(int32_t dependency) const {
    return dependency >= 0 ? tasks[static_cast<size_t>(dependency)].id
                           : elsewhere[static_cast<size_t>(-1 - dependency)];
  }
};

// Throws InputError if a cell or a task has no canonical form, or if a task's cell differs from the
// one in its spec.
PreparedGrid prepare_grid(const experiments::protocol::SubmitGrid& grid);

// Same from the body of POST /grids, holding at most one cell or task as JSON at a time. Throws
// InputError as the message's reader does.
PreparedGrid prepare_grid(const std::string& body);

// Same from a grid's file, expanded with the same memory bound. Messages use `name` as the file
// name; data sets and pins are looked up in `workspace`. Throws InputError "FILE:LINE: ..." as
// read_grid() does.
PreparedGrid prepare_grid_file(const std::string& text, const std::string& name,
                               const std::filesystem::path& workspace);

// Key shared by tasks with similar durations. `labeler` and `split` apply to label tasks.
std::string similar_text(experiments::TaskKind kind, const std::string& architecture,
                         const std::string& spatial_prior, const std::string& labeler,
                         const std::string& split);
std::string similar_text(const Json& label_spec);

// The file or folder in a worker's weights folder that a label task needs to run there; empty if
// its labeler needs none.
std::string weights_file(const Json& label_spec);

}  // namespace remixer::coordinator
