// SPDX-License-Identifier: Apache-2.0
#include "experiments/protocol/answers.h"

#include <gtest/gtest.h>

#include <set>

#include "base/file.h"
#include "experiments/protocol/analysis_answers.h"
#include "experiments/protocol/order_answers.h"
#include "tests/experiments/expect_error.h"

namespace remixer::experiments::protocol::answers {
namespace {

const Json& description() {
  static const Json json = Json::parse(read_file(REMIXER_OPENAPI));
  return json;
}

// What in `json` and the schema of docs/openapi.json have different fields, as paths; follows lists
// and maps into their elements.
void compare(const Json& json, Json schema, const std::string& path, std::set<std::string>& wrong) {
  if (schema.contains("$ref")) {
    schema = description().at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1)));
  }
  if (json.is_array() && schema.contains("items")) {
    if (json.empty()) wrong.insert(path + " is empty");
    for (const Json& element : json) compare(element, schema["items"], path + "[]", wrong);
  } else if (json.is_object() && schema.contains("properties")) {
    for (const auto& [name, value] : json.items()) {
      if (!schema["properties"].contains(name)) {
        wrong.insert(path + "." + name + " is not described");
      } else {
        compare(value, schema["properties"][name], path + "." + name, wrong);
      }
    }
    for (const auto& [name, value] : schema["properties"].items()) {
      if (!json.contains(name)) wrong.insert(path + "." + name + " is missing");
    }
  } else if (json.is_object() && schema.contains("additionalProperties")) {
    for (const auto& [name, value] : json.items()) {
      compare(value, schema["additionalProperties"], path + "." + name, wrong);
    }
  }
}

template <typename T>
std::set<std::string> differences(const T& answer, const char* schema) {
  std::set<std::string> wrong;
  compare(to_json(answer), {{"$ref", std::string("#/components/schemas/") + schema}}, schema,
          wrong);
  return wrong;
}

// Answers that have something everywhere.
const Figure kFigure{"raw", "original", "top1", 64.5, 1000};

Grid grid() {
  Grid made;
  made.id = 3;
  made.name = "g";
  made.state = "running";
  made.settings = {1, 2, 3, 4};
  made.states.ready = 7;
  made.kinds = {{"train", {4, 3, 1, 0}}};
  made.seconds_left = 12.5;
  return made;
}

GridDetail grid_detail() {
  GridDetail made{grid(), {}, 1000};
  made.cell_list.emplace_back().figures = {kFigure};
  return made;
}

TaskDetail task_detail() {
  TaskDetail made;
  made.task_id = "abcd";
  made.grids = {1};
  made.spec = {{"kind", "train"}};
  made.figures = {kFigure};
  made.dependencies = {{"ef01", "prepare", "done"}};
  made.dependants = {{"2345", "evaluate", "waiting"}};
  made.attempts.emplace_back().reason = "lost";
  made.environments.emplace().emplace_back().environment = {{"processor", "a"}};
  return made;
}

TaskList task_list() {
  TaskList made;
  made.tasks.emplace_back().grids = {1, 2};
  return made;
}

Slurm slurm() {
  Slurm made;
  made.why = "enough";
  made.allocations.emplace_back().id = "120_3";
  return made;
}

Status status() {
  Status made;
  made.revision = 9;
  made.grids = {grid()};
  Running& running = made.running.emplace_back();
  running.metrics = {{"loss", 1.5}, {"kappa", std::nullopt}};
  running.last_heartbeat_seconds = 0.5;
  running.grids = {3};
  made.failures.emplace_back().grids = {3};
  made.finished.emplace_back().figures = {kFigure};
  made.finished.back().grids = {3};
  made.workers.emplace_back().task_id = "abcd";
  made.version = made.host = made.workspace = made.started_at = "x";
  made.pid = 1;
  made.launcher.emplace().alive = 2;
  made.slurm = slurm();
  return made;
}

Matrix matrix() {
  Matrix made;
  made.rows.emplace_back().architecture = "deit";
  made.labelers = made.eval_sets = made.lower_is_better = {"a"};
  MatrixPlace& place = made.places.emplace_back();
  place.cell_ids = {"abcd"};
  place.figures = {{"original", {64.5, 1.5, 2, std::nullopt}}};
  return made;
}

Collected collected() {
  Collected made;
  made.items = {{"runs/abcd/1/a.ckpt", Garbage::kStuck, 100, "train"}};
  made.quota_bytes = 1000;
  return made;
}

TEST(Answers, HaveTheFieldsThatTheDescriptionSays) {
  const std::set<std::string> none;
  EXPECT_EQ(differences(GridList{{grid()}}, "GridList"), none);
  EXPECT_EQ(differences(grid_detail(), "GridDetail"), none);
  EXPECT_EQ(differences(task_list(), "TaskList"), none);
  EXPECT_EQ(differences(task_detail(), "TaskDetail"), none);
  EXPECT_EQ(differences(WorkerList{status().workers}, "WorkerList"), none);
  EXPECT_EQ(differences(Ping{}, "Ping"), none);
  EXPECT_EQ(differences(slurm(), "Slurm"), none);
  EXPECT_EQ(differences(status(), "Status"), none);
  EXPECT_EQ(differences(matrix(), "Matrix"), none);
  const Curves curves{1,
                      "loss",
                      {"loss"},
                      false,
                      {{.task_id = "abcd",
                        .state = "done",
                        .cell_id = "ef",
                        .architecture = "deit",
                        .spatial_prior = "none",
                        .labeler = "none",
                        .train_set = "a",
                        .recipe = "b",
                        .seed = 0,
                        .points = {{1, 0.5, 2.5}}}}};
  EXPECT_EQ(differences(curves, "Curves"), none);
  EXPECT_EQ(differences(TaskMetrics{"abcd", {{"loss", {{1, 0.5, std::nullopt}}}}}, "TaskMetrics"),
            none);
  Comparison comparison{{}, {"no_fg"}, {{"seed", {0, 1}}}, {{"device", {"cpu", nullptr}}}};
  comparison.cells.emplace_back().figures = {kFigure};
  EXPECT_EQ(differences(comparison, "Comparison"), none);
  EXPECT_EQ(differences(Log{}, "Log"), none);
  EXPECT_EQ(differences(Changed{}, "Changed"), none);
  EXPECT_EQ(differences(collected(), "Collected"), none);
  EXPECT_EQ(differences(Adopted{1, 1, 0, {{"runs/abcd/1", "torn"}}}, "Adopted"), none);
}

TEST(Answers, AreReadAsTheyWereWritten) {
  const auto again = [](const auto& answer) {
    const Json json = Json::parse(to_json(answer).dump());
    return to_json(from_json<std::decay_t<decltype(answer)>>(json)) == json;
  };
  EXPECT_TRUE(again(GridList{{grid()}}));
  EXPECT_TRUE(again(grid_detail()));
  EXPECT_TRUE(again(task_list()));
  EXPECT_TRUE(again(task_detail()));
  EXPECT_TRUE(again(Ping{"1", 2, "host", "w", true}));
  EXPECT_TRUE(again(slurm()));
  EXPECT_TRUE(again(status()));
  EXPECT_TRUE(again(Status{})) << "without a daemon";
  EXPECT_TRUE(again(matrix()));
  EXPECT_TRUE(again(Changed{4}));
  EXPECT_TRUE(again(collected()));
  EXPECT_TRUE(again(Adopted{1, 1, 0, {{"runs/abcd/1", "torn"}}}));
  EXPECT_EQ(from_json<Collected>(to_json(collected())).items[0].why, Garbage::kStuck);
  EXPECT_EQ(from_json<Status>(to_json(status())).running[0].metric("loss"), 1.5);
}

TEST(Answers, OfANewerDaemonAreUnderstood) {
  Json json = to_json(status());
  json["moon"] = "full";
  json["grids"][0]["colour"] = 3;
  EXPECT_EQ(from_json<Status>(json).grids[0].name, "g");
}

TEST(Answers, ThatLackAFieldAreRefusedByItsName) {
  Json json = to_json(status());
  json["grids"][0].erase("cells_done");
  EXPECT_EQ(input_error([&] { from_json<Status>(json); }),
            "status.grids[0]: field 'cells_done' is missing");
  json = to_json(status());
  json["running"][0]["metrics"]["loss"] = "low";
  EXPECT_EQ(input_error([&] { from_json<Status>(json); }),
            "status.running[0].metrics.loss must be a number, not a string");
}

}  // namespace
}  // namespace remixer::experiments::protocol::answers
