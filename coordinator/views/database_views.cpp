// SPDX-License-Identifier: Apache-2.0
#include "coordinator/views/database_views.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "base/error.h"
#include "coordinator/scheduler/state.h"
#include "coordinator/views/eval_sets.h"
#include "coordinator/views/id_prefix.h"

namespace remixer::coordinator {
namespace {

using experiments::protocol::Figure;

constexpr int kBusyMilliseconds = 5000;

// A metric over steps; the latest value at each step.
using Points = std::map<int64_t, answers::Point>;

std::vector<answers::Point> thinned(const Points& points, int64_t most) {
  std::vector<answers::Point> all, list;
  for (const auto& [step, point] : points) all.push_back(point);
  for (const size_t index : spread(all.size(), static_cast<size_t>(most))) {
    list.push_back(all[index]);
  }
  return list;
}

// Reads rows (step, epoch, value) ordered by attempt.
Points read_points(SQLite::Statement& rows) {
  Points points;
  while (rows.executeStep()) {
    answers::Point point{rows.getColumn(0).getInt64(), rows.getColumn(1).getDouble(), std::nullopt};
    if (!rows.isColumnNull(2)) point.value = rows.getColumn(2).getDouble();
    points[point.step] = point;
  }
  return points;
}

// Sorted.
std::vector<std::string> metric_names(SQLite::Database& database,
                                      const std::vector<std::string>& tasks) {
  std::set<std::string> names;
  SQLite::Statement rows(database, "SELECT DISTINCT name FROM metrics WHERE task_id = ?");
  for (const std::string& task : tasks) {
    rows.reset();
    rows.bind(1, task);
    while (rows.executeStep()) names.insert(rows.getColumn(0).getString());
  }
  return {names.begin(), names.end()};
}

// All cells' values of each dotted name whose values are not all the same.
std::vector<answers::Difference> differences(const std::vector<Json>& flat) {
  std::set<std::string> names;
  for (const Json& each : flat) {
    for (const auto& [name, value] : each.items()) names.insert(name);
  }
  std::vector<answers::Difference> list;
  for (const std::string& name : names) {
    answers::Difference difference{name, {}};
    for (const Json& each : flat) difference.values.push_back(each.value(name, Json()));
    const std::vector<Json>& values = difference.values;
    if (std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) != values.end()) {
      list.push_back(std::move(difference));
    }
  }
  return list;
}

void flatten_into(Json& out, const std::string& prefix, const Json& json) {
  if (!json.is_object() || (json.empty() && !prefix.empty())) {
    out[prefix] = json;
    return;
  }
  for (const auto& [name, value] : json.items()) {
    flatten_into(out, prefix.empty() ? name : prefix + "." + name, value);
  }
}

// Appends BG-Gap to a cell's figures, from figures with the same weights and metric.
void add_gaps(std::vector<Figure>& figures) {
  std::vector<Figure> gaps;
  for (const Figure& same : figures) {
    if (split_of(same.eval_set) != kMixedSame) continue;
    for (const Figure& mixed : figures) {
      if (mixed.eval_set != with_split(same.eval_set, kMixedRand) ||
          mixed.weights != same.weights || mixed.metric != same.metric)
        continue;
      gaps.push_back({same.weights, with_split(same.eval_set, kGap), same.metric,
                      same.value - mixed.value, std::min(same.n, mixed.n)});
    }
  }
  figures.insert(figures.end(), gaps.begin(), gaps.end());
}

Json parsed(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_discarded() ? Json() : json;
}

}  // namespace

Json flattened(const Json& json) {
  Json out = Json::object();
  flatten_into(out, "", json.is_object() ? json : Json::object());
  return out;
}

std::vector<size_t> spread(size_t count, size_t most) {
  std::vector<size_t> indices;
  if (count <= most || most < 2) {
    for (size_t i = 0; i < count; ++i) indices.push_back(i);
    return indices;
  }
  for (size_t i = 0; i < most; ++i) indices.push_back(i * (count - 1) / (most - 1));
  return indices;
}

DatabaseViews::DatabaseViews(const std::filesystem::path& file) {
  try {
    database_ =
        std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READONLY, kBusyMilliseconds);
    database_->exec("BEGIN");
  } catch (const SQLite::Exception& error) {
    fail("cannot read {}: {}", file.string(), error.what());
  }
}

DatabaseViews::~DatabaseViews() = default;

answers::Curves DatabaseViews::curves(const CurvesQuestion& question) {
  SQLite::Statement tasks(
      *database_,
      "SELECT g.task_id, g.state, c.cell_id, c.architecture, c.spatial_prior, c.labeler,"
      " c.train_set, c.recipe, c.seed, g.position FROM grid_tasks g JOIN cells c"
      " ON c.cell_id = g.cell_id WHERE g.grid_id = ? AND g.kind = 'train'"
      " AND EXISTS (SELECT 1 FROM runs r WHERE r.task_id = g.task_id)"
      " ORDER BY g.state = 'running' DESC, g.position DESC LIMIT ?");
  tasks.bind(1, question.grid);
  tasks.bind(2, question.series + 1);
  SQLite::Statement rows(*database_,
                         "SELECT step, epoch, value FROM metrics WHERE task_id = ? AND name = ?"
                         " ORDER BY attempt, step");
  std::map<int64_t, answers::RunCurve> series;  // by the tasks' position
  std::vector<std::string> ids;
  answers::Curves curves{question.grid, question.name, {}, false, {}};
  while (tasks.executeStep()) {
    if (static_cast<int64_t>(ids.size()) == question.series) {
      curves.more = true;
      break;
    }
    const auto text = [&](int column) { return tasks.getColumn(column).getString(); };
    ids.push_back(text(0));
    rows.reset();
    rows.bind(1, ids.back());
    rows.bind(2, question.name);
    series[tasks.getColumn(9).getInt64()] = {.task_id = text(0),
                                             .state = text(1),
                                             .cell_id = text(2),
                                             .architecture = text(3),
                                             .spatial_prior = text(4),
                                             .labeler = text(5),
                                             .train_set = text(6),
                                             .recipe = text(7),
                                             .seed = tasks.getColumn(8).getInt64(),
                                             .points = thinned(read_points(rows), question.points)};
  }
  for (auto& [position, one] : series) curves.series.push_back(std::move(one));
  curves.names = metric_names(*database_, ids);
  return curves;
}

answers::TaskMetrics DatabaseViews::task_metrics(const std::string& task,
                                                 const std::vector<std::string>& names,
                                                 int64_t points) {
  SQLite::Statement rows(*database_,
                         "SELECT step, epoch, value FROM metrics WHERE task_id = ? AND name = ?"
                         " ORDER BY attempt, step");
  answers::TaskMetrics metrics{task, {}};
  for (const std::string& name : names.empty() ? metric_names(*database_, {task}) : names) {
    rows.reset();
    rows.bind(1, task);
    rows.bind(2, name);
    metrics.series.push_back({name, thinned(read_points(rows), points)});
  }
  return metrics;
}

std::vector<answers::Environment> DatabaseViews::environments(const std::string& task) {
  SQLite::Statement rows(*database_,
                         "SELECT attempt, worker, ranks, device, version, environment"
                         " FROM environments WHERE task_id = ? ORDER BY attempt");
  rows.bind(1, task);
  std::vector<answers::Environment> list;
  while (rows.executeStep()) {
    answers::Environment one;
    one.attempt = rows.getColumn(0).getInt64();
    if (!rows.isColumnNull(1)) one.worker = rows.getColumn(1).getString();
    one.ranks = rows.getColumn(2).getInt64();
    one.device = rows.getColumn(3).getString();
    one.version = rows.getColumn(4).getString();
    one.environment = parsed(rows.getColumn(5).getString());
    list.push_back(std::move(one));
  }
  return list;
}

std::string DatabaseViews::find_cell(const std::string& prefix) {
  if (prefix.size() < kShortestPrefix) {
    fail_input("'{}' is too short for a cell's id: give {} characters or more", prefix,
               kShortestPrefix);
  }
  // Ids are hexadecimal, so all ids with this prefix are in this range.
  SQLite::Statement rows(*database_,
                         "SELECT cell_id FROM cells WHERE cell_id >= ?1 AND cell_id < ?1 || 'g'"
                         " LIMIT 2");
  rows.bind(1, prefix);
  std::vector<std::string> found;
  while (rows.executeStep()) found.push_back(rows.getColumn(0).getString());
  if (found.empty()) throw NotFound(fmt::format("no cell {}", prefix));
  if (found.size() > 1) fail_input("more than one cell begins with '{}'", prefix);
  return found.front();
}

answers::Comparison DatabaseViews::compare(const std::vector<std::string>& ids) {
  SQLite::Statement cell(*database_,
                         "SELECT architecture, spatial_prior, labeler, train_set, recipe, seed,"
                         " identity FROM cells WHERE cell_id = ?");
  SQLite::Statement results(*database_,
                            "SELECT weights, eval_set, metric, value, n FROM results"
                            " WHERE cell_id = ? ORDER BY eval_set, metric, weights DESC");
  SQLite::Statement run(*database_,
                        "SELECT task_id FROM runs"
                        " WHERE cell_id = ? AND kind = 'train' ORDER BY attempt DESC LIMIT 1");
  answers::Comparison comparison;
  std::vector<Json> identities, surroundings;
  std::set<std::string> sets;
  for (const std::string& prefix : ids) {
    const std::string id = find_cell(prefix);
    for (SQLite::Statement* each : {&cell, &results, &run}) {
      each->reset();
      each->bind(1, id);
    }
    cell.executeStep();
    const auto text = [&](int column) { return cell.getColumn(column).getString(); };
    answers::ComparedCell one{.cell_id = id,
                              .seed = cell.getColumn(5).getInt64(),
                              .task_id = std::nullopt,
                              .architecture = text(0),
                              .spatial_prior = text(1),
                              .labeler = text(2),
                              .train_set = text(3),
                              .recipe = text(4),
                              .figures = {}};
    identities.push_back(flattened(parsed(text(6))));
    while (results.executeStep()) {
      one.figures.push_back({results.getColumn(0).getString(), results.getColumn(1).getString(),
                             results.getColumn(2).getString(), results.getColumn(3).getDouble(),
                             results.getColumn(4).getInt64()});
    }
    add_gaps(one.figures);
    for (const Figure& figure : one.figures) sets.insert(figure.eval_set);
    Json around = Json::object();
    if (run.executeStep()) {
      one.task_id = run.getColumn(0).getString();
      const auto attempts = environments(*one.task_id);
      if (!attempts.empty()) around = answers::to_json(attempts.back());
      around.erase("attempt");
    }
    surroundings.push_back(flattened(around));
    comparison.cells.push_back(std::move(one));
  }
  comparison.lower_is_better = lower_ones({sets.begin(), sets.end()});
  comparison.differences = differences(identities);
  comparison.environment_differences = differences(surroundings);
  return comparison;
}

}  // namespace remixer::coordinator
