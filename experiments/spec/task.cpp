// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/task.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/object_reader.h"

namespace remixer::experiments {
namespace {

constexpr std::array<std::pair<TaskKind, std::string_view>, 5> kKinds{{
    {TaskKind::kPrepare, "prepare"},
    {TaskKind::kLabel, "label"},
    {TaskKind::kTrain, "train"},
    {TaskKind::kEvaluate, "evaluate"},
    {TaskKind::kSaliency, "saliency"},
}};

// The members that a kind's spec has, beside "kind".
std::vector<const char*> spec_members(TaskKind kind) {
  switch (kind) {
    case TaskKind::kPrepare:
      return {"dataset"};
    case TaskKind::kLabel:
      return {"dataset", "split", "labeler"};
    case TaskKind::kTrain:
      return {"cell"};
    case TaskKind::kEvaluate:
      return {"cell", "eval_set", "version"};
    case TaskKind::kSaliency:
      return {"cell", "eval_set", "images", "version"};
  }
  return {};
}

// Images by name, or how many to draw from which seed.
void check_images(const Json& images) {
  const auto fits = [](size_t count) {
    return count >= 1 && count <= static_cast<size_t>(kMostSaliencyImages);
  };
  if (images.is_array()) {
    const bool named = std::all_of(images.begin(), images.end(),
                                   [](const Json& image) { return image.is_string(); });
    if (named && fits(images.size())) return;
  } else {
    ObjectReader reader(images, "task.spec.images");
    int64_t count = 0, seed = 0;
    reader("count", count);
    reader("seed", seed);
    reader.finish();
    if (count > 0 && fits(static_cast<size_t>(count)) && seed >= 0) return;
  }
  fail_input("task.spec.images: must name 1 to {} images, or say how many", kMostSaliencyImages);
}

void check_spec(const Json& spec, TaskKind kind, bool without_cell) {
  ObjectReader reader(spec, "task.spec");
  Json ignored;
  reader("kind", ignored);
  for (const char* name : spec_members(kind)) {
    if (without_cell && name == std::string_view("cell")) {
      reader.optional("cell", ignored, Json());
    } else {
      reader(name, ignored);
    }
  }
  // The set is of another dataset than the cell's, or is seen in another way.
  const bool evaluates = kind == TaskKind::kEvaluate;
  const bool elsewhere = (evaluates || kind == TaskKind::kSaliency) && spec.contains("dataset");
  const bool released = evaluates && spec.contains("transform");
  if (elsewhere) reader("dataset", ignored);
  if (released) reader("transform", ignored);
  if (elsewhere || released) reader("split", ignored);
  reader.finish();
  if (kind == TaskKind::kSaliency) check_images(spec["images"]);
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
