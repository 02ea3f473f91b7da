// SPDX-License-Identifier: Apache-2.0
// A submitted grid made ready for the scheduler and the store: everything hashed and written out,
// which is done before the engine's thread is asked for anything.
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
  int32_t cell = -1;  // its place among the grid's cells; -1 of prepare and label
  std::string title;
  std::string spec;  // JSON; the cell's identity, where it holds one, left out
  Name similar;      // tasks that take as long have the same
  Name weights;      // see weights_file()
  // Of one that stands before it in the grid its place there; of any other -1 - its place among
  // `elsewhere`.
  std::vector<int32_t> dependencies;
  double cost = 0;  // of the first of its `similar`: stated_seconds(); 0: not known
};

struct PreparedGrid {
  std::string name, description, text;
  std::optional<experiments::protocol::GridSettings> settings;
  std::vector<PreparedCell> cells;
  std::vector<PreparedTask> tasks;
  std::vector<std::string> elsewhere;  // ids of tasks that must be known already

  const std::string& dependency_id(int32_t dependency) const {
    return dependency >= 0 ? tasks[static_cast<size_t>(dependency)].id
                           : elsewhere[static_cast<size_t>(-1 - dependency)];
  }
};

// Throws InputError where a cell or a task has no canonical form, or a task's cell is another one
// than its spec says.
PreparedGrid prepare_grid(const experiments::protocol::SubmitGrid& grid);

// The same from the body of POST /grids, without holding more of it as JSON than one cell or task.
// Throws InputError as the message's reader does.
PreparedGrid prepare_grid(const std::string& body);

// The same from a grid's file, expanded without holding more of it than that either. `name` stands
// for the file in messages; data sets and pins are looked up in `workspace`. Throws InputError
// "FILE:LINE: ..." as read_grid() does.
PreparedGrid prepare_grid_file(const std::string& text, const std::string& name,
                               const std::filesystem::path& workspace);

// What tasks that take as long have in common. `labeler` and `split` are of a label task.
std::string similar_text(experiments::TaskKind kind, const std::string& architecture,
                         const std::string& spatial_prior, const std::string& labeler,
                         const std::string& split);
std::string similar_text(const Json& label_spec);

// The file or folder, in a worker's folder of weights, without which a label task cannot run there;
// empty where its labeler needs none.
std::string weights_file(const Json& label_spec);

}  // namespace remixer::coordinator
