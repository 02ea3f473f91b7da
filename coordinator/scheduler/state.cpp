// SPDX-License-Identifier: Apache-2.0
#include "coordinator/scheduler/state.h"

#include <array>

#include "base/parse_number.h"

namespace remixer::coordinator {
namespace {

constexpr std::array<std::string_view, kTaskStates> kTaskStateNames = {
    "waiting", "ready", "running", "done", "failed", "blocked", "cancelled"};
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
  return kTaskStateNames[static_cast<size_t>(state)];
}
std::string_view to_string(AttemptState state) {
  return kAttemptStates[static_cast<size_t>(state)];
}
TaskState task_state_from_string(std::string_view text) {
  return parse<TaskState>(kTaskStateNames, text, "a task");
}
AttemptState attempt_state_from_string(std::string_view text) {
  return parse<AttemptState>(kAttemptStates, text, "an attempt");
}

bool stuck(TaskState state) {
  return state == TaskState::kFailed || state == TaskState::kBlocked ||
         state == TaskState::kCancelled;
}

bool open(TaskState state) {
  return state == TaskState::kWaiting || state == TaskState::kReady || state == TaskState::kRunning;
}

int64_t GridEntry::count(TaskState state) const {
  int64_t sum = 0;
  for (const auto& kind : counts) sum += kind[static_cast<size_t>(state)];
  return sum;
}

TaskEntry& State::task(const std::string& id) {
  const auto found = tasks.find(id);
  if (found == tasks.end()) throw NotFound(fmt::format("no task {}", id));
  return found->second;
}

const TaskEntry& State::task(const std::string& id) const {
  return const_cast<State*>(this)->task(id);
}

GridEntry& State::grid(int64_t id) {
  const auto found = grids.find(id);
  if (found == grids.end()) throw NotFound(fmt::format("no grid {}", id));
  return found->second;
}

const GridEntry& State::grid(int64_t id) const {
  return const_cast<State*>(this)->grid(id);
}

std::string attempt_folder(const std::string& task_id, int64_t number) {
  return fmt::format("runs/{}/{}", task_id, number);
}

std::optional<int64_t> attempt_number(const std::string& folder_name) {
  const bool digits =
      folder_name.size() < 18 && folder_name.find_first_not_of("0123456789") == std::string::npos;
  return digits ? parse_number<int64_t>(folder_name) : std::nullopt;
}

std::optional<double> usual_seconds(const State& state, const TaskEntry& entry) {
  const auto similar = state.durations.find(entry.similar);
  if (similar != state.durations.end()) return similar->second.value();
  const Mean& kind = state.kind_durations[static_cast<size_t>(entry.kind)];
  if (kind.count > 0) return kind.value();
  return std::nullopt;
}

}  // namespace remixer::coordinator
