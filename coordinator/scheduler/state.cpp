#include "coordinator/scheduler/state.h"

#include <array>

namespace remixer::coordinator {
namespace {

constexpr std::array<std::string_view, 7> kTaskStates = {"waiting", "ready",   "running",  "done",
                                                         "failed",  "blocked", "cancelled"};
constexpr std::array<std::string_view, 6> kAttemptStates = {"running", "done", "released",
                                                            "failed",  "lost", "cancelled"};

template <typename Enum, size_t N>
Enum parse(const std::array<std::string_view, N>& names, std::string_view text, const char* what) {
  for (size_t i = 0; i < N; ++i) {
    if (names[i] == text) return static_cast<Enum>(i);
  }
  fail_input("unknown state of {}: '{}'", what, text);
}

}  // namespace

std::string_view to_string(TaskState state) {
  return kTaskStates[static_cast<size_t>(state)];
}
std::string_view to_string(AttemptState state) {
  return kAttemptStates[static_cast<size_t>(state)];
}
TaskState task_state_from_string(std::string_view text) {
  return parse<TaskState>(kTaskStates, text, "a task");
}
AttemptState attempt_state_from_string(std::string_view text) {
  return parse<AttemptState>(kAttemptStates, text, "an attempt");
}

TaskEntry& State::task(const std::string& id) {
  const auto found = tasks.find(id);
  if (found == tasks.end()) throw NotFound(fmt::format("no task {}", id));
  return found->second;
}

const TaskEntry& State::task(const std::string& id) const {
  return const_cast<State*>(this)->task(id);
}

const GridEntry& State::grid(int64_t id) const {
  const auto found = grids.find(id);
  if (found == grids.end()) throw NotFound(fmt::format("no grid {}", id));
  return found->second;
}

std::string attempt_folder(const std::string& task_id, int64_t number) {
  return fmt::format("runs/{}/{}", task_id, number);
}

}  // namespace remixer::coordinator
