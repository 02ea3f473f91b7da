// SPDX-License-Identifier: Apache-2.0
// Answers of the API's queries, see docs/api.md. Called on the engine's thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "coordinator/engine/engine.h"

namespace remixer::coordinator {

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

// The fields of /status that come from state and store.
Json status_json(const Engine::View& view);
Json grids_json(const Engine::View& view);
// `name` is a grid's number or name; throws NotFound.
Json grid_json(const Engine::View& view, const std::string& name, const Page& page);
int64_t find_grid(const State& state, const std::string& name);
// In the grid's order; without a grid, in the order in which tasks were submitted. Throws
// InputError on an unknown state or kind.
Json tasks_json(const Engine::View& view, const TaskFilter& filter, const Page& page);
// One task, with its dependants in pages.
Json task_json(const Engine::View& view, const std::string& id, const Page& page = {});
// The task whose id begins with `prefix`. Throws NotFound, or InputError if it is not unique.
std::string find_task(const State& state, const std::string& prefix);
Json workers_json(const Engine::View& view);

// Shared by the views.
Json grid_ids_json(const TaskEntry& entry);  // of the grids that hold it
Json cell_id_json(const TaskEntry& entry);   // "" if it has none
Json grid_summary(const Engine::View& view, const GridEntry& grid, const class Estimate& estimate);
Json figures_json(const std::vector<experiments::protocol::Figure>& figures);
// Why the task is not done, in one line; empty if there is nothing to report.
std::string explanation(const Engine::View& view, const TaskEntry& entry);
// The reason of a failed, cancelled or blocked task; else null.
Json reason_json(const TaskEntry& entry);

}  // namespace remixer::coordinator
