// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/task.h"

#include <array>

#include "base/error.h"
#include "base/object_reader.h"
#include "experiments/spec/task_spec.h"

namespace remixer::experiments {
namespace {

constexpr std::array<std::pair<TaskKind, std::string_view>, 5> kKinds{{
    {TaskKind::kPrepare, "prepare"},
    {TaskKind::kLabel, "label"},
    {TaskKind::kTrain, "train"},
    {TaskKind::kEvaluate, "evaluate"},
    {TaskKind::kSaliency, "saliency"},
}};

// Throws InputError unless `spec` is valid for `kind`. `without_cell`: the cell is not in it.
void check_spec(const Json& spec, TaskKind kind, bool without_cell) {
  const bool of_cell = kind != TaskKind::kPrepare && kind != TaskKind::kLabel;
  if (of_cell && !without_cell && !spec.contains("cell")) {
    fail_input("task.spec: field 'cell' is missing");
  }
  switch (kind) {
    case TaskKind::kPrepare:
      prepare_spec(spec);
      return;
    case TaskKind::kLabel:
      label_spec(spec);
      return;
    case TaskKind::kTrain:
      return check_train_spec(spec);
    case TaskKind::kEvaluate:
      evaluate_spec(spec);
      return;
    case TaskKind::kSaliency:
      saliency_spec(spec);
      return;
  }
}

}  // namespace

std::string_view to_string(TaskKind kind) {
  for (const auto& [value, text] : kKinds) {
    if (value == kind) return text;
  }
  return "?";
}

TaskKind task_kind_from_string(std::string_view text) {
  std::vector<std::string> known;
  for (const auto& [value, name] : kKinds) {
    if (name == text) return value;
    known.emplace_back(name);
  }
  fail_input("{}", unknown_name("task kind", text, known));
}

Json to_json(const Task& task) {
  return {{"spec", task.spec},
          {"dependencies", task.dependencies},
          {"cell_id", task.cell_id},
          {"title", task.title}};
}

Task task_from_json(const Json& json, bool without_cell) {
  Task task;
  ObjectReader v(json, "task");
  v("spec", task.spec);
  v("dependencies", task.dependencies);
  v("cell_id", task.cell_id);
  v("title", task.title);
  v.finish();
  const auto kind = task.spec.find("kind");
  if (!task.spec.is_object() || kind == task.spec.end() || !kind->is_string()) {
    fail_input("task.spec: field 'kind' is missing or no string");
  }
  task.kind = task_kind_from_string(kind->get<std::string>());
  check_spec(task.spec, task.kind, without_cell && !task.cell_id.empty());
  return task;
}

}  // namespace remixer::experiments
