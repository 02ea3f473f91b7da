// SPDX-License-Identifier: Apache-2.0
// The answers of the API's queries, as docs/api.md describes them. Called in the engine's thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "coordinator/engine/engine.h"

namespace remixer::coordinator {

// A piece of a listing: at most `limit` elements beyond what `after` stands for, which is 0 or the
// "next" of the answer before; the last answer's is null.
struct Page {
  static constexpr int64_t kMost = 1000;
  int64_t after = 0;
  int64_t limit = kMost;
};

// Empty ones let everything through.
struct TaskFilter {
  std::string grid{}, state{}, kind{};
  std::string like{};  // what the id begins with (4 characters or more), or a part of the title
};

// The fields of /status that come from state and store.
Json status_json(const Engine::View& view);
Json grids_json(const Engine::View& view);
// `name` is a number or a name; throws NotFound.
Json grid_json(const Engine::View& view, const std::string& name, const Page& page);
int64_t find_grid(const State& state, const std::string& name);
// In the grid's order; of all grids, in the order in which they were submitted. Throws InputError
// on an unknown state or kind.
Json tasks_json(const Engine::View& view, const TaskFilter& filter, const Page& page);
// Its dependants in pages.
Json task_json(const Engine::View& view, const std::string& id, const Page& page = {});
// The task whose id begins with `prefix`. Throws NotFound, or InputError where it is not unique.
std::string find_task(const State& state, const std::string& prefix);
Json workers_json(const Engine::View& view);

// Shared by the views.
Json grid_ids_json(const TaskEntry& entry);  // of the grids that hold it
Json cell_id_json(const TaskEntry& entry);   // "" where it has none
Json grid_summary(const Engine::View& view, const GridEntry& grid, const class Estimate& estimate);
Json figures_json(const std::vector<experiments::protocol::Figure>& figures);
// Why the task is not done, in one line; empty where there is nothing to say.
std::string explanation(const Engine::View& view, const TaskEntry& entry);
// The reason of a failed, cancelled or blocked task; null else.
Json reason_json(const TaskEntry& entry);

}  // namespace remixer::coordinator
