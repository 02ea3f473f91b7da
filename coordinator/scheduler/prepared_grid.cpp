// SPDX-License-Identifier: Apache-2.0
#include "coordinator/scheduler/prepared_grid.h"

#include <set>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
#include "base/hash.h"
#include "base/one_line.h"
#include "base/parse_json.h"
#include "experiments/grid/grid.h"
#include "experiments/grid/grid_expansion.h"
#include "experiments/grid/grid_reader.h"
#include "experiments/outlook/stated_seconds.h"
#include "experiments/spec/task_spec.h"

namespace remixer::coordinator {

using experiments::Cell;
using experiments::Task;
using experiments::TaskKind;

namespace {

// Prepares cells and tasks one by one; cells must come before their tasks.
class Preparer {
 public:
  void add(const Cell& cell) {
    std::string identity = canonical_json(cell.identity());
    std::string id = sha256_hex(identity);
    add(cell, std::move(identity), std::move(id));
  }

  void add(const Cell& cell, std::string identity, std::string id) {
    PreparedCell prepared;
    prepared.identity = std::move(identity);
    prepared.id = std::move(id);
    prepared.architecture = Name(cell.architecture);
    prepared.spatial_prior = Name(cell.spatial_prior);
    prepared.labeler_name = Name(cell.labeler_name);
    prepared.dataset_name = Name(cell.dataset_name);
    prepared.recipe_name = Name(cell.recipe_name);
    prepared.precision = Name(cell.precision);
    prepared.seed = cell.seed;
    prepared.shards = cell.recipe.shards;
    grid.cells.push_back(std::move(prepared));
    cells_.emplace(grid.cells.back().id, grid.cells.size() - 1);
  }

  void add(const Task& task) {
    PreparedTask prepared;
    const PreparedCell* cell = cell_of(task);
    if (cell && !task.spec.contains("cell")) {
      // Sent without it: the cell is in the grid.
      prepared.spec = canonical_json(task.spec);
      prepared.id = sha256_hex(with_cell(prepared.spec, cell->identity));
    } else {
      const std::string whole = canonical_json(task.spec);
      prepared.id = sha256_hex(whole);
      prepared.spec = cell ? without_cell(task, *cell) : whole;
    }
    add(task, cell, std::move(prepared));
  }

  // A task whose id is known and whose spec is complete.
  void add(Task task, std::string id) {
    PreparedTask prepared;
    prepared.id = std::move(id);
    const PreparedCell* cell = cell_of(task);
    if (cell) task.spec.erase("cell");
    prepared.spec = canonical_json(task.spec);
    add(task, cell, std::move(prepared));
  }

  PreparedGrid grid;

 private:
  // Fills in everything except id and spec.
  void add(const Task& task, const PreparedCell* cell, PreparedTask prepared) {
    prepared.kind = task.kind;
    prepared.title = task.title;
    if (cell) prepared.cell = static_cast<int32_t>(cell - grid.cells.data());
    prepared.similar =
        Name(cell ? similar_text(task.kind, cell->architecture, cell->spatial_prior, "", "")
                  : similar_text(task.spec));
    if (!cell) prepared.weights = Name(weights_file(task.spec));
    if (stated_.insert(prepared.similar).second) {
      const std::string whole = cell ? with_cell(prepared.spec, cell->identity) : prepared.spec;
      prepared.cost = experiments::stated_seconds(task.kind, Json::parse(whole));
    }
    prepared.dependencies.reserve(task.dependencies.size());
    for (const std::string& each : task.dependencies) prepared.dependencies.push_back(place(each));
    grid.tasks.push_back(std::move(prepared));
    tasks_.emplace(grid.tasks.back().id, grid.tasks.size() - 1);
  }

  int32_t place(const std::string& dependency) {
    const auto found = tasks_.find(dependency);
    if (found != tasks_.end()) return static_cast<int32_t>(found->second);
    grid.elsewhere.push_back(dependency);
    return -static_cast<int32_t>(grid.elsewhere.size());
  }

  const PreparedCell* cell_of(const Task& task) const {
    if (task.cell_id.empty()) return nullptr;
    const auto found = cells_.find(task.cell_id);
    if (found == cells_.end()) {
      fail_input("task '{}' belongs to cell {}, which is not in the grid", task.title,
                 task.cell_id);
    }
    return &grid.cells[found->second];
  }

  static std::string without_cell(const Task& task, const PreparedCell& cell) {
    Json spec = task.spec;
    const auto inside = spec.find("cell");
    if (inside == spec.end() || canonical_json(*inside) != cell.identity) {
      fail_input("task '{}' says that it belongs to cell {}, but its spec holds another",
                 task.title, cell.id);
    }
    spec.erase(inside);
    return canonical_json(spec);
  }

  // "cell" is the first member of a spec in canonical order.
  static std::string with_cell(const std::string& spec, const std::string& identity) {
    return "{\"cell\":" + identity + (spec == "{}" ? "}" : "," + spec.substr(1));
  }

  // By id. An id has 64 characters, so its text does not move when the lists grow.
  std::unordered_map<std::string_view, size_t> cells_, tasks_;
  std::set<Name> stated_;  // `similar` of tasks whose cost is known
};

class ExpandedGrid : public experiments::GridSink {
 public:
  void take(const Cell& cell, const Json& identity, const std::string& id) override {
    preparer.add(cell, canonical_json(identity), id);
  }
  void take(Task task, const std::string& id) override { preparer.add(std::move(task), id); }
  Preparer preparer;
};

}  // namespace

std::string similar_text(TaskKind kind, const std::string& architecture,
                         const std::string& spatial_prior, const std::string& labeler,
                         const std::string& split) {
  std::string text(experiments::to_string(kind));
  if (!architecture.empty()) text += " " + architecture + " " + spatial_prior;
  if (!labeler.empty()) text += " " + labeler;
  if (split == "train") text += " train";
  return text;
}

std::string similar_text(const Json& spec) {
  const TaskKind kind = experiments::task_kind_from_string(spec.value("kind", std::string()));
  if (kind != TaskKind::kLabel) return similar_text(kind, "", "", "", "");
  const auto label = experiments::label_spec(spec);
  return similar_text(kind, "", "", label.labeler.name, label.split);
}

std::string weights_file(const Json& spec) {
  if (!spec.contains("labeler")) return {};
  // Only for the product's own networks, which are installed on each machine. A user's networks are
  // in the workspace, which all workers share; submit refuses a grid if they are missing.
  const std::string name = experiments::label_spec(spec).labeler.name;
  if (name == "saliency") return "u2netp.safetensors";
  if (name == "relabel") return "efficientnet_lite0.safetensors";
  return {};
}

PreparedGrid prepare_grid(const experiments::protocol::SubmitGrid& submitted) {
  Preparer preparer;
  preparer.grid.name = submitted.name;
  preparer.grid.description = submitted.description;
  preparer.grid.text = submitted.text;
  preparer.grid.settings = submitted.settings;
  for (const Cell& cell : submitted.cells) preparer.add(cell);
  for (const Task& task : submitted.tasks) preparer.add(task);
  return std::move(preparer.grid);
}

PreparedGrid prepare_grid_file(const std::string& text, const std::string& name,
                               const std::filesystem::path& workspace) {
  try {
    const experiments::GridFile file = experiments::read_grid_file(text, name, workspace);
    experiments::require_inputs(file);
    ExpandedGrid expanded;
    experiments::expand_grid(file, expanded);
    PreparedGrid& grid = expanded.preparer.grid;
    grid.name = file.name;
    grid.description = file.description;
    grid.text = file.text;
    return std::move(grid);
  } catch (const InputError& error) {
    throw InputError(one_line(error.what()));
  }
}

PreparedGrid prepare_grid(const std::string& body) {
  Preparer preparer;
  std::string list;         // the current list member of the outermost object
  std::vector<Task> early;  // tasks that precede the cells
  bool cells_seen = false;
  // Takes and discards each element of an outermost list as soon as it is complete.
  const auto take = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth == 1 && event == Json::parse_event_t::key) {
      list = parsed.get<std::string>();
      cells_seen = cells_seen || list == "cells";
    }
    if (depth != 2 || event != Json::parse_event_t::object_end) return true;
    if (list == "cells") {
      preparer.add(experiments::cell_from_json(parsed));
    } else if (list == "tasks" && cells_seen) {
      preparer.add(experiments::task_from_json(parsed, true));
    } else if (list == "tasks") {
      early.push_back(experiments::task_from_json(parsed, true));
    } else {
      return true;
    }
    return false;
  };
  check_depth(body, "the body");
  Json rest;
  try {
    rest = Json::parse(body, take);
  } catch (const Json::exception&) {
    fail_input("the body is not JSON");
  }
  const auto frame = experiments::protocol::from_json<experiments::protocol::SubmitGrid>(rest);
  for (const Task& task : early) preparer.add(task);
  preparer.grid.name = frame.name;
  preparer.grid.description = frame.description;
  preparer.grid.text = frame.text;
  preparer.grid.settings = frame.settings;
  return std::move(preparer.grid);
}

}  // namespace remixer::coordinator
