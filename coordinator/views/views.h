// SPDX-License-Identifier: Apache-2.0
// Makes the answers of the API's queries from the engine's state. Called on the engine's thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "coordinator/engine/engine.h"
#include "experiments/protocol/answers.h"

namespace remixer::coordinator {

namespace answers = experiments::protocol::answers;

// One page of a listing: at most `limit` elements after `after`, which is 0 or the "next" of the
// previous answer; the last answer's "next" is null.
struct Page {
  static constexpr int64_t kMost = 1000;
  int64_t after = 0;
  int64_t limit = kMost;
};

// Empty fields match everything.
struct TaskFilter {
  std::string grid{}, state{}, kind{};
  std::string like{};  // prefix of the id (4 characters or more), or a part of the title
};

// Without what only a daemon knows.
answers::Status status_view(const Engine::View& view);
answers::GridList grids_view(const Engine::View& view);
// `name` is a grid's number or name; throws NotFound.
answers::GridDetail grid_view(const Engine::View& view, const std::string& name, const Page& page);
int64_t find_grid(const State& state, const std::string& name);
// In the grid's order; without a grid, in the order in which tasks were submitted. Throws
// InputError on an unknown state or kind.
answers::TaskList tasks_view(const Engine::View& view, const TaskFilter& filter, const Page& page);
// One task, with its dependants in pages; without the environments of its attempts.
answers::TaskDetail task_view(const Engine::View& view, const std::string& id,
                              const Page& page = {});
// The task whose id begins with `prefix`. Throws NotFound, or InputError if it is not unique.
std::string find_task(const State& state, const std::string& prefix);
answers::WorkerList workers_view(const Engine::View& view);

// Shared by the views.
// The elements of a list of `count` that a page shows: `first` to `end` (exclusive).
struct Part {
  size_t first = 0, end = 0;
  std::optional<int64_t> next;  // `after` of the next page
};
Part part_of(const Page& page, size_t count);
std::vector<int64_t> grid_ids(const TaskEntry& entry);  // of the grids that hold it
std::string cell_id_of(const TaskEntry& entry);         // empty if it has none
answers::Grid grid_summary(const Engine::View& view, const GridEntry& grid,
                           const class Estimate& estimate);
// Why the task is not done, in one line; empty if there is nothing to report.
std::string explanation(const Engine::View& view, const TaskEntry& entry);
// The reason of a failed, cancelled or blocked task; else nothing.
std::optional<std::string> reason_of(const TaskEntry& entry);

}  // namespace remixer::coordinator
