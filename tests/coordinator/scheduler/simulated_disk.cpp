// SPDX-License-Identifier: Apache-2.0
#include "tests/coordinator/scheduler/simulated_disk.h"

#include <algorithm>

#include "experiments/protocol/result_files.h"
#include "tests/coordinator/scheduler/promises.h"

namespace remixer::coordinator::testing {

namespace protocol = experiments::protocol;

namespace {

std::string task_of(const std::string& path) {
  return protocol::folder_of_task(path).substr(5);
}

int64_t number_of(const std::string& path) {
  return std::stoll(path.substr(protocol::folder_of_task(path).size() + 1));
}

std::vector<std::string> named(const SimulatedStore& store, const TaskEntry& entry) {
  std::vector<std::string> paths;
  const auto result = store.results().find(entry.number);
  if (result == store.results().end()) return paths;
  for (const auto& file : protocol::result_files(Json::parse(result->second.text))) {
    paths.push_back(file.path);
  }
  return paths;
}

bool contains(const std::vector<std::string>& list, const std::string& path) {
  return std::find(list.begin(), list.end(), path) != list.end();
}

}  // namespace

void SimulatedDisk::begin(const protocol::Assignment& assignment) {
  int64_t& highest = folders_[assignment.task_id];
  highest = std::max(highest, assignment.attempt);
}

void SimulatedDisk::finish(const protocol::Assignment& assignment) {
  files_.insert(model_of(assignment.folder));
  lost_.erase(model_of(assignment.folder));
  kept_.insert(assignment.folder);
}

std::string SimulatedDisk::earlier(const protocol::Assignment& assignment, bool blind) const {
  for (size_t i = assignment.previous.size(); i-- > 0;) {
    const std::string& folder = assignment.previous[i];
    if (!blind && number_of(folder) < assignment.results_from) break;
    if (kept_.count(folder) && (blind || files_.count(model_of(folder)))) return model_of(folder);
  }
  return {};
}

void SimulatedDisk::collect(const State& state, const SimulatedStore& store, bool newest_only) {
  std::erase_if(files_, [&](const std::string& path) {
    const TaskEntry* entry = find_entry(state, task_of(path));
    if (!entry) return false;
    if (entry->state == TaskState::kCancelled) {
      return entry->reason == "removed" && !state.held.count(entry->id());
    }
    if (entry->state != TaskState::kDone) return false;
    return newest_only ? number_of(path) != entry->attempts : !contains(named(store, *entry), path);
  });
}

void SimulatedDisk::remove(const std::string& task_id) {
  const auto of_task = [&](const std::string& path) { return task_of(path) == task_id; };
  std::erase_if(files_, of_task);
  std::erase_if(kept_, of_task);
}

void SimulatedDisk::lose(const State& state, const SimulatedStore& store, Draw& draw) {
  for (const auto& [id, entry] : state.tasks) {
    for (const std::string& path : named(store, entry)) {
      if (!draw.once_in(6)) continue;
      files_.erase(path);
      lost_.insert(path);
    }
  }
}

std::set<std::string> SimulatedDisk::missing(const State& state,
                                             const SimulatedStore& store) const {
  std::set<std::string> ids;
  for (const auto& [id, entry] : state.tasks) {
    if (entry.state != TaskState::kDone || entry.kind == TaskKind::kEvaluate) continue;
    for (const std::string& path : named(store, entry)) {
      if (!files_.count(path)) ids.insert(id);
    }
  }
  return ids;
}

std::vector<std::pair<std::string, std::string>> SimulatedDisk::kept() const {
  std::vector<std::pair<std::string, std::string>> list;
  for (const auto& [id, highest] : folders_) {
    for (int64_t number = highest; number > 0; --number) {
      const std::string folder = attempt_folder(id, number);
      if (!kept_.count(folder) || !files_.count(model_of(folder))) continue;
      list.emplace_back(id, model_of(folder));
      break;
    }
  }
  return list;
}

void SimulatedDisk::check(const State& state, const SimulatedStore& store) const {
  for (const auto& [id, entry] : state.tasks) {
    if (entry.state != TaskState::kDone) continue;
    for (const std::string& path : named(store, entry)) {
      require(files_.count(path) > 0 || lost_.count(path) > 0,
              "{}, which the committed result of '{}' names, was deleted", path, entry.title);
    }
  }
}

}  // namespace remixer::coordinator::testing
