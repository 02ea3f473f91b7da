// SPDX-License-Identifier: Apache-2.0
// Notices to a grid's owner: that it has ended, or that something needs attention.
#include "coordinator/scheduler/handlers.h"

namespace remixer::coordinator {
namespace {

const TaskEntry* first_failed(const GridEntry& grid) {
  for (const TaskEntry* task : grid.tasks) {
    if (task->state == TaskState::kFailed) return task;
  }
  return nullptr;
}

void put_notice(Transition& t, const GridEntry& grid, const char* event) {
  Json body = {{"event", event},
               {"grid_id", grid.id},
               {"grid", grid.name},
               {"tasks", grid.tasks.size()},
               {"done", grid.count(TaskState::kDone)},
               {"failed", grid.count(TaskState::kFailed)},
               {"blocked", grid.count(TaskState::kBlocked)},
               {"cells", grid.cells.size()},
               {"cells_done", grid.cells_done},
               {"workspace", t.settings.workspace}};
  if (const TaskEntry* task = first_failed(grid)) {
    body["task_id"] = task->id();
    body["title"] = task->title;
    body["reason"] = task->reason;
  }
  t.effects.writes.push_back(PutNotice{t.state.next_notice++, event, grid.id,
                                       body.dump(-1, ' ', false, Json::error_handler_t::replace),
                                       t.now.wall});
}

}  // namespace

void tell_owner(Transition& t) {
  for (const int64_t id : t.touched) {
    const auto found = t.state.grids.find(id);
    if (found == t.state.grids.end()) continue;
    GridEntry& grid = found->second;
    if (grid.cancelled || grid.said == Said::kEnd) continue;
    const bool ended = grid.count(TaskState::kWaiting) + grid.count(TaskState::kReady) +
                           grid.count(TaskState::kRunning) ==
                       0;
    const bool failed = grid.count(TaskState::kFailed) > 0;
    if (!ended && (!failed || grid.said == Said::kAttention)) continue;
    const bool all_done = grid.count(TaskState::kDone) == static_cast<int64_t>(grid.tasks.size());
    grid.said = ended ? Said::kEnd : Said::kAttention;
    put_grid_state(t, grid);
    put_notice(t, grid, !ended ? "attention" : all_done ? "done" : "failed");
  }
}

void handle(Transition& t, const NoticeTakenEvent& event) {
  t.effects.writes.push_back(DeleteNotice{event.notice_id});
}

}  // namespace remixer::coordinator
