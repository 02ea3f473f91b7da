// SPDX-License-Identifier: Apache-2.0
// Views of one or many tasks.
#include <algorithm>
#include <cctype>
#include <optional>

#include "base/clock.h"
#include "base/optional_text.h"
#include "coordinator/scheduler/placement.h"
#include "coordinator/views/id_prefix.h"
#include "coordinator/views/views.h"

namespace remixer::coordinator {
namespace {

// Failed without retries: its input is wrong, or it is too large for its worker.
bool is_hopeless(const Engine::View& view, const TaskEntry& entry) {
  return entry.state == TaskState::kFailed && entry.failures < view.settings.failure_limit &&
         entry.alone < view.settings.crash_limit;
}

void fill_basics(const Engine::View& view, const TaskEntry& entry, answers::TaskBasics& task) {
  task.task_id = entry.id();
  task.kind = experiments::to_string(entry.kind);
  task.cell_id = cell_id_of(entry);
  task.title = entry.title;
  task.state = to_string(entry.state);
  task.reason = reason_of(entry);
  task.hopeless = is_hopeless(view, entry);
  task.grids = grid_ids(entry);
  if (entry.attempts > 0) task.folder = attempt_folder(entry.id(), entry.attempts);
}

answers::TaskSummary task_summary(const Engine::View& view, const TaskEntry& entry) {
  answers::TaskSummary task;
  fill_basics(view, entry, task);
  task.attempts = entry.attempts;
  return task;
}

answers::TaskLink link_to(const TaskEntry& entry) {
  return {entry.id(), entry.title, std::string(to_string(entry.state))};
}

std::vector<answers::Attempt> attempts_of(const Engine::View& view, const TaskEntry& entry) {
  std::vector<answers::Attempt> list;
  for (const StoredAttempt& stored : view.store.attempts(entry)) {
    // The newest attempt's steps are in memory.
    const bool newest = entry.newest && entry.newest->number == stored.attempt.number;
    const Attempt& attempt = newest ? *entry.newest : stored.attempt;
    // The last heartbeat of a finished attempt came before its end.
    const bool done = attempt.state == AttemptState::kDone;
    list.push_back({.attempt = attempt.number,
                    .fence = attempt.fence,
                    .state = std::string(to_string(attempt.state)),
                    .worker = stored.worker,
                    .started_at = iso_time(attempt.started_wall),
                    .ended_at = attempt.ended_wall > 0 ? std::optional(iso_time(attempt.ended_wall))
                                                       : std::nullopt,
                    .reason = text_if_any(attempt.reason),
                    .folder = attempt_folder(entry.id(), attempt.number),
                    .step = done ? std::max(attempt.step, attempt.total_steps) : attempt.step,
                    .total_steps = attempt.total_steps});
  }
  return list;
}

// The failed or cancelled task that blocks this one.
const TaskEntry* blocker(const TaskEntry& entry) {
  for (const TaskEntry* other : entry.dependencies) {
    if (other->state == TaskState::kFailed || other->state == TaskState::kCancelled) return other;
    if (other->state == TaskState::kBlocked) return blocker(*other);
  }
  return nullptr;
}

std::string blocked_text(const TaskEntry& entry) {
  const TaskEntry* other = blocker(entry);
  if (!other) return "blocked";
  return fmt::format("blocked: '{}' is {} ({})", other->title, to_string(other->state),
                     other->reason);
}

std::string waiting_text(const TaskEntry& entry) {
  std::vector<std::string> titles;
  for (const TaskEntry* other : entry.dependencies) {
    if (other->state == TaskState::kDone) continue;
    titles.push_back(fmt::format("'{}' ({})", other->title, to_string(other->state)));
  }
  return fmt::format("waits for {}", fmt::join(titles, ", "));
}

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

// Checks a task against a filter, except for the grid.
class TaskMatch {
 public:
  explicit TaskMatch(const TaskFilter& filter) : like_(filter.like) {
    std::transform(like_.begin(), like_.end(), like_.begin(), lower);
    if (!filter.state.empty()) state_ = task_state_from_string(filter.state);
    if (!filter.kind.empty()) kind_ = experiments::task_kind_from_string(filter.kind);
  }
  bool operator()(const TaskEntry& entry) const {
    if (state_ && entry.state != *state_) return false;
    if (kind_ && entry.kind != *kind_) return false;
    if (like_.empty()) return true;
    return (like_.size() >= kShortestPrefix && entry.id().starts_with(like_)) ||
           std::search(entry.title.begin(), entry.title.end(), like_.begin(), like_.end(),
                       [](char c, char wanted) { return lower(c) == wanted; }) != entry.title.end();
  }

 private:
  std::optional<TaskState> state_;
  std::optional<TaskKind> kind_;
  std::string like_;
};

// `after` is the number of the grid's tasks that were examined.
answers::TaskList grid_tasks(const Engine::View& view, const GridEntry& grid,
                             const TaskMatch& match, const Page& page) {
  answers::TaskList list;
  auto at = static_cast<size_t>(page.after);
  for (; at < grid.tasks.size(); ++at) {
    if (!match(*grid.tasks[at])) continue;
    if (list.tasks.size() == static_cast<size_t>(page.limit)) break;
    list.tasks.push_back(task_summary(view, *grid.tasks[at]));
  }
  if (at < grid.tasks.size()) list.next = static_cast<int64_t>(at);
  return list;
}

// `after` is the number of the last task shown.
answers::TaskList all_tasks(const Engine::View& view, const TaskMatch& match, const Page& page) {
  std::vector<const TaskEntry*> entries;
  for (const auto& [id, entry] : view.state.tasks) {
    if (entry.number > page.after && match(entry)) entries.push_back(&entry);
  }
  const size_t shown = std::min(entries.size(), static_cast<size_t>(page.limit));
  std::partial_sort(entries.begin(), entries.begin() + static_cast<ptrdiff_t>(shown), entries.end(),
                    [](const TaskEntry* a, const TaskEntry* b) { return a->number < b->number; });
  answers::TaskList list;
  for (size_t i = 0; i < shown; ++i) list.tasks.push_back(task_summary(view, *entries[i]));
  if (shown < entries.size()) list.next = entries[shown - 1]->number;
  return list;
}

}  // namespace

std::optional<std::string> reason_of(const TaskEntry& entry) {
  if (entry.state == TaskState::kBlocked) return blocked_text(entry);
  return text_if_any(entry.reason);
}

std::string explanation(const Engine::View& view, const TaskEntry& entry) {
  switch (entry.state) {
    case TaskState::kWaiting:
      return waiting_text(entry);
    case TaskState::kReady:
      return why_ready_waits(view.state, entry, view.now, view.settings);
    case TaskState::kRunning:
      return fmt::format("attempt {} runs: step {} of {}", entry.newest->number, entry.newest->step,
                         entry.newest->total_steps);
    case TaskState::kDone:
      return fmt::format("done at {}", iso_time(entry.done_wall));
    case TaskState::kFailed:
    case TaskState::kCancelled:
      return entry.reason;
    case TaskState::kBlocked:
      return blocked_text(entry);
  }
  return {};
}

answers::TaskList tasks_view(const Engine::View& view, const TaskFilter& filter, const Page& page) {
  const TaskMatch match(filter);
  return filter.grid.empty()
             ? all_tasks(view, match, page)
             : grid_tasks(view, view.state.grid(find_grid(view.state, filter.grid)), match, page);
}

std::string find_task(const State& state, const std::string& prefix) {
  if (state.tasks.count(prefix)) return prefix;
  std::string found;
  for (const auto& [id, entry] : state.tasks) {
    if (prefix.size() < kShortestPrefix || id.compare(0, prefix.size(), prefix) != 0) continue;
    if (!found.empty()) fail_input("more than one task begins with '{}'", prefix);
    found = id;
  }
  if (found.empty()) throw NotFound(fmt::format("no task {}", prefix));
  return found;
}

answers::TaskDetail task_view(const Engine::View& view, const std::string& prefix,
                              const Page& page) {
  const TaskEntry& entry = view.state.task(find_task(view.state, prefix));
  answers::TaskDetail task;
  fill_basics(view, entry, task);
  task.spec = view.store.spec(entry);
  task.result = view.store.result(entry);
  task.figures = view.store.figures(entry);
  for (const TaskEntry* each : entry.dependencies) task.dependencies.push_back(link_to(*each));
  // All cells may depend on the task that prepares a data set.
  const Part part = part_of(page, entry.dependants.size());
  for (size_t i = part.first; i < part.end; ++i) {
    task.dependants.push_back(link_to(*entry.dependants[i]));
  }
  task.next = part.next;
  task.explanation = explanation(view, entry);
  task.failures = entry.failures;
  task.crashes = entry.crashes;
  task.attempts = attempts_of(view, entry);
  return task;
}

}  // namespace remixer::coordinator
