// SPDX-License-Identifier: Apache-2.0
#include "coordinator/views/database_views.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "coordinator/scheduler/state.h"
#include "coordinator/views/eval_sets.h"
#include "coordinator/views/id_prefix.h"

namespace remixer::coordinator {
namespace {

constexpr int kBusyMilliseconds = 5000;

Json text_or_null(const SQLite::Column& column) {
  return column.isNull() ? Json(nullptr) : Json(column.getString());
}

// A metric over steps; the latest value at each step.
using Points = std::map<int64_t, std::pair<double, Json>>;

// [[step, epoch, value], ...]
Json points_json(const Points& points, int64_t most) {
  std::vector<Json> all;
  for (const auto& [step, point] : points) {
    all.push_back(Json::array({step, point.first, point.second}));
  }
  Json list = Json::array();
  for (const size_t index : spread(all.size(), static_cast<size_t>(most))) {
    list.push_back(std::move(all[index]));
  }
  return list;
}

// Reads rows (step, epoch, value) ordered by attempt.
Points read_points(SQLite::Statement& rows) {
  Points points;
  while (rows.executeStep()) {
    const SQLite::Column value = rows.getColumn(2);
    points[rows.getColumn(0).getInt64()] = {rows.getColumn(1).getDouble(),
                                            value.isNull() ? Json() : Json(value.getDouble())};
  }
  return points;
}

Json names_of(SQLite::Database& database, const std::vector<std::string>& tasks) {
  std::set<std::string> names;
  SQLite::Statement rows(database, "SELECT DISTINCT name FROM metrics WHERE task_id = ?");
  for (const std::string& task : tasks) {
    rows.reset();
    rows.bind(1, task);
    while (rows.executeStep()) names.insert(rows.getColumn(0).getString());
  }
  return names;
}

// All cells' values of each dotted name whose values are not all the same.
Json differences(const std::vector<Json>& flat) {
  std::set<std::string> names;
  for (const Json& each : flat) {
    for (const auto& [name, value] : each.items()) names.insert(name);
  }
  Json list = Json::array();
  for (const std::string& name : names) {
    Json values = Json::array();
    bool same = true;
    for (const Json& each : flat) {
      values.push_back(each.value(name, Json()));
      same = same && values.back() == values.front();
    }
    if (!same) list.push_back({{"name", name}, {"values", std::move(values)}});
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
void add_gaps(Json& figures) {
  Json gaps = Json::array();
  for (const Json& same : figures) {
    const auto set = same.at("eval_set").get<std::string>();
    if (split_of(set) != kMixedSame) continue;
    for (const Json& mixed : figures) {
      if (mixed.at("eval_set") != with_split(set, kMixedRand) ||
          mixed.at("weights") != same.at("weights") || mixed.at("metric") != same.at("metric"))
        continue;
      gaps.push_back({{"weights", same.at("weights")},
                      {"eval_set", with_split(set, kGap)},
                      {"metric", same.at("metric")},
                      {"value", same.at("value").get<double>() - mixed.at("value").get<double>()},
                      {"n", std::min(same.at("n").get<int64_t>(), mixed.at("n").get<int64_t>())}});
    }
  }
  for (Json& gap : gaps) figures.push_back(std::move(gap));
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

Json DatabaseViews::curves(const CurvesQuestion& question) {
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
  std::vector<std::pair<int64_t, Json>> series;
  std::vector<std::string> ids;
  bool more = false;
  while (tasks.executeStep()) {
    if (static_cast<int64_t>(ids.size()) == question.series) {
      more = true;
      break;
    }
    ids.push_back(tasks.getColumn(0).getString());
    rows.reset();
    rows.bind(1, ids.back());
    rows.bind(2, question.name);
    Json one = {{"task_id", ids.back()}, {"state", tasks.getColumn(1).getString()}};
    int column = 2;
    for (const char* name :
         {"cell_id", "architecture", "spatial_prior", "labeler", "train_set", "recipe"}) {
      one[name] = tasks.getColumn(column++).getString();
    }
    one["seed"] = tasks.getColumn(8).getInt64();
    one["points"] = points_json(read_points(rows), question.points);
    series.emplace_back(tasks.getColumn(9).getInt64(), std::move(one));
  }
  std::sort(series.begin(), series.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  Json list = Json::array();
  for (auto& [position, one] : series) list.push_back(std::move(one));
  return {{"grid_id", question.grid},
          {"name", question.name},
          {"names", names_of(*database_, ids)},
          {"more", more},
          {"series", std::move(list)}};
}

Json DatabaseViews::task_metrics(const std::string& task, const std::vector<std::string>& names,
                                 int64_t points) {
  Json wanted = names.empty() ? names_of(*database_, {task}) : Json(names);
  SQLite::Statement rows(*database_,
                         "SELECT step, epoch, value FROM metrics WHERE task_id = ? AND name = ?"
                         " ORDER BY attempt, step");
  Json series = Json::array();
  for (const Json& name : wanted) {
    rows.reset();
    rows.bind(1, task);
    rows.bind(2, name.get<std::string>());
    series.push_back({{"name", name}, {"points", points_json(read_points(rows), points)}});
  }
  return {{"task_id", task}, {"series", std::move(series)}};
}

Json DatabaseViews::environments(const std::string& task) {
  SQLite::Statement rows(*database_,
                         "SELECT attempt, worker, ranks, device, version, environment"
                         " FROM environments WHERE task_id = ? ORDER BY attempt");
  rows.bind(1, task);
  Json list = Json::array();
  while (rows.executeStep()) {
    list.push_back({{"attempt", rows.getColumn(0).getInt64()},
                    {"worker", text_or_null(rows.getColumn(1))},
                    {"ranks", rows.getColumn(2).getInt64()},
                    {"device", rows.getColumn(3).getString()},
                    {"version", rows.getColumn(4).getString()},
                    {"environment", parsed(rows.getColumn(5).getString())}});
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

Json DatabaseViews::compare(const std::vector<std::string>& ids) {
  SQLite::Statement cell(*database_,
                         "SELECT architecture, spatial_prior, labeler, train_set, recipe, seed,"
                         " identity FROM cells WHERE cell_id = ?");
  SQLite::Statement results(*database_,
                            "SELECT weights, eval_set, metric, value, n FROM results"
                            " WHERE cell_id = ? ORDER BY eval_set, metric, weights DESC");
  SQLite::Statement run(*database_,
                        "SELECT task_id, state, worker, started_at, ended_at FROM runs"
                        " WHERE cell_id = ? AND kind = 'train' ORDER BY attempt DESC LIMIT 1");
  Json cells = Json::array();
  std::vector<Json> identities, surroundings;
  std::set<std::string> sets;
  for (const std::string& prefix : ids) {
    const std::string id = find_cell(prefix);
    for (SQLite::Statement* each : {&cell, &results, &run}) {
      each->reset();
      each->bind(1, id);
    }
    cell.executeStep();
    Json one = {{"cell_id", id}, {"seed", cell.getColumn(5).getInt64()}, {"task_id", nullptr}};
    int column = 0;
    for (const char* name : {"architecture", "spatial_prior", "labeler", "train_set", "recipe"}) {
      one[name] = cell.getColumn(column++).getString();
    }
    identities.push_back(flattened(parsed(cell.getColumn(6).getString())));
    one["figures"] = Json::array();
    while (results.executeStep()) {
      one["figures"].push_back({{"weights", results.getColumn(0).getString()},
                                {"eval_set", results.getColumn(1).getString()},
                                {"metric", results.getColumn(2).getString()},
                                {"value", results.getColumn(3).getDouble()},
                                {"n", results.getColumn(4).getInt64()}});
    }
    add_gaps(one["figures"]);
    for (const Json& figure : one["figures"]) sets.insert(figure.at("eval_set").get<std::string>());
    Json around = Json::object();
    if (run.executeStep()) {
      one["task_id"] = run.getColumn(0).getString();
      const Json attempts = environments(one["task_id"]);
      if (!attempts.empty()) around = attempts.back();
      around.erase("attempt");
    }
    surroundings.push_back(flattened(around));
    cells.push_back(std::move(one));
  }
  return {{"cells", std::move(cells)},
          {"lower_is_better", lower_ones({sets.begin(), sets.end()})},
          {"differences", differences(identities)},
          {"environment_differences", differences(surroundings)}};
}

}  // namespace remixer::coordinator
