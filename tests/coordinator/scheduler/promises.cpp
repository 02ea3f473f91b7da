// SPDX-License-Identifier: Apache-2.0
#include "tests/coordinator/scheduler/promises.h"

#include <algorithm>
#include <set>
#include <vector>

namespace remixer::coordinator::testing {

namespace protocol = experiments::protocol;

namespace {

// Only people's orders may: those that run a task again, or remove it.
bool takes_results_away(const Event& event) {
  return !std::holds_alternative<ResultEvent>(event) &&
         !std::holds_alternative<ClaimEvent>(event) &&
         !std::holds_alternative<HeartbeatEvent>(event) &&
         !std::holds_alternative<TickEvent>(event) &&
         !std::holds_alternative<WorkerGoneEvent>(event);
}

std::vector<std::string> ids(const std::set<std::pair<int64_t, TaskEntry*>>& ready) {
  std::vector<std::string> list;
  for (const auto& [order, entry] : ready) list.push_back(entry->id());
  return list;
}

bool unfinished_matches(const TaskEntry& entry) {
  const bool all = std::all_of(entry.dependencies.begin(), entry.dependencies.end(),
                               [](const TaskEntry* d) { return d->state == TaskState::kDone; });
  return entry.state == (all ? TaskState::kReady : TaskState::kWaiting);
}

}  // namespace

const TaskEntry* find_entry(const State& state, const std::string& id) {
  const auto found = state.tasks.find(id);
  return found == state.tasks.end() ? nullptr : &found->second;
}

void Promises::note_step(const Event& event, const State& state) {
  if (const auto* removed = std::get_if<RemoveGridEvent>(&event)) grids_.erase(removed->grid_id);
  if (!takes_results_away(event)) return;
  std::erase_if(accepted_, [&](const auto& each) {
    const TaskEntry* entry = find_entry(state, each.second);
    return !entry || entry->state != TaskState::kDone;
  });
}

void Promises::note_answer(const Event& event, const Reply& reply, const State& state) {
  if (const auto* submit = std::get_if<SubmitEvent>(&event)) {
    grids_[std::get<protocol::GridSubmitted>(reply).grid_id] = submit->grid.get();
  } else if (const auto* result = std::get_if<ResultEvent>(&event)) {
    note_accepted(result->result, std::get<protocol::ResultReply>(reply), state);
  } else if (const auto* claim = std::get_if<ClaimEvent>(&event); claim && claim->result) {
    note_accepted(*claim->result, *std::get<protocol::ClaimReply>(reply).result, state);
  }
}

void Promises::note_accepted(const protocol::AttemptResult& result,
                             const protocol::ResultReply& reply, const State& state) {
  if (!reply.accepted || result.ending != protocol::Ending::kDone) return;
  // A later order of the same batch may have taken it away again.
  const TaskEntry* entry = find_entry(state, result.task_id);
  if (!entry || entry->state != TaskState::kDone || entry->fence != result.fence) return;
  accepted_[result.fence] = result.task_id;
}

void Promises::check_submits(const State& state) const {
  for (const auto& [id, grid] : grids_) {
    require(state.grids.count(id) > 0, "the acknowledged grid {} is lost", id);
    for (const PreparedTask& task : grid->tasks) {
      require(state.tasks.count(task.id) > 0, "task '{}' of an acknowledged grid is lost",
              task.title);
    }
  }
}

void Promises::check_results(const State& state, const SimulatedStore& store) const {
  require(!store.spoiled(), "a second result, or one of a replaced attempt, was committed");
  for (const auto& [fence, task] : accepted_) {
    const TaskEntry* entry = find_entry(state, task);
    require(entry != nullptr, "the task of an accepted result is lost");
    const auto stored = store.results().find(entry->number);
    require(stored != store.results().end() && stored->second.fence == fence,
            "the accepted result of '{}' is lost", entry->title);
  }
  for (const auto& [id, entry] : state.tasks) {
    const bool stored = store.results().count(entry.number) > 0;
    require(stored == (entry.state == TaskState::kDone), "'{}' is {}, and its result is {}",
            entry.title, to_string(entry.state), stored ? "there" : "not there");
  }
}

void check_reload(const State& state, const State& loaded) {
  require(loaded.tasks.size() == state.tasks.size(), "tasks in memory differ from the store's");
  for (const auto& [id, entry] : state.tasks) {
    const TaskEntry& other = loaded.task(id);
    require(other.state == entry.state && other.order == entry.order &&
                other.fence == entry.fence && other.failures == entry.failures &&
                other.crashes == entry.crashes && other.attempts == entry.attempts &&
                other.given_up == entry.given_up && other.weights == entry.weights &&
                (!entry.cell || other.cell->shards == entry.cell->shards),
            "'{}' in memory differs from the store's", entry.title);
    require(entry.state == TaskState::kRunning || entry.state == TaskState::kDone ||
                stuck(entry.state) || unfinished_matches(entry),
            "'{}' is {} against its dependencies", entry.title, to_string(entry.state));
  }
  for (const auto& [id, grid] : state.grids) {
    const GridEntry& other = loaded.grid(id);
    require(other.counts == grid.counts && other.cells_done == grid.cells_done &&
                other.cells_failed == grid.cells_failed && ids(other.ready) == ids(grid.ready) &&
                other.paused == grid.paused && other.settings == grid.settings,
            "the indexes of grid {} are wrong", grid.name);
  }
  require(loaded.next_fence == state.next_fence && loaded.next_task == state.next_task &&
              loaded.next_grid == state.next_grid && loaded.next_order <= state.next_order,
          "a number would be given out twice");
}

}  // namespace remixer::coordinator::testing
