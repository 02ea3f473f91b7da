// SPDX-License-Identifier: Apache-2.0
// Figures, curves, comparisons and logs, from a database that a real engine wrote.
#include "coordinator/views/database_views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "base/file.h"
#include "coordinator/engine/engine.h"
#include "coordinator/views/task_log.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator {
namespace {

using namespace testing;

class DatabaseViewsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Settings settings;
    settings.workspace = folder.path.string();
    engine = std::make_unique<Engine>(Engine::Options{folder.path, file(), settings});
    grid = make_grid("g", {1, 2});
    grid.cells[1].recipe.epochs += 5;
    grid = rebuilt(grid);
    id = engine->submit(grid).grid_id;
    auto about = make_worker(1);
    about.environment = {{"processor", "first"}, {"cores", 2}};
    worker = engine->register_worker(about).worker_id;
  }
  std::filesystem::path file() const { return folder.path / "remixer.db"; }

  // The tasks of changed cells have other ids.
  static protocol::SubmitGrid rebuilt(protocol::SubmitGrid given) {
    protocol::SubmitGrid made = given;
    made.tasks.resize(1);
    for (const Cell& cell : given.cells) {
      const std::string number = std::to_string(cell.seed), prepare = made.tasks[0].id();
      made.tasks.push_back(make_task(TaskKind::kTrain, {{"cell", cell.identity()}},
                                     "train " + number, {prepare}, cell.id()));
      const std::string train = made.tasks.back().id();
      made.tasks.push_back(
          make_task(TaskKind::kEvaluate,
                    {{"cell", cell.identity()}, {"eval_set", "original"}, {"version", 1}},
                    "evaluate " + number, {prepare, train}, cell.id()));
    }
    return made;
  }
  // Works on the next task; nothing where none is ready.
  std::optional<protocol::Assignment> work(double value = 0,
                                           const std::vector<protocol::MetricPoint>& metrics = {}) {
    auto assignment = engine->claim({worker}).assignment;
    if (!assignment) return assignment;
    auto beat = heartbeat_of(*assignment, 1);
    beat.metrics = metrics;
    engine->heartbeat(beat);
    auto result = result_of(*assignment);
    if (assignment->task.kind == TaskKind::kEvaluate) {
      result.figures = {{"raw", "original", "top1", value, 100}};
    }
    engine->result(result);
    return assignment;
  }
  DatabaseViews views() const { return DatabaseViews(file()); }
  Json matrix(const MatrixQuestion& question) const { return to_json(views().matrix(question)); }
  Json curves(const CurvesQuestion& question) const { return to_json(views().curves(question)); }
  Json compare(const std::vector<std::string>& ids) const { return to_json(views().compare(ids)); }

  TemporaryFolder folder;
  std::unique_ptr<Engine> engine;
  protocol::SubmitGrid grid;
  int64_t id = 0;
  std::string worker;
};

TEST_F(DatabaseViewsTest, MatrixHasStatesAndMeansOfSeeds) {
  Json place = matrix({id})["places"][0];
  EXPECT_EQ(place["states"]["waiting"], 2);
  EXPECT_EQ(place["figures"], Json::object());
  for (const double value : {0.0, 0.0, 60.0, 0.0, 64.0}) ASSERT_TRUE(work(value));
  const Json all = matrix({id});
  ASSERT_EQ(all["rows"].size(), 1u);
  EXPECT_EQ(all["rows"][0]["architecture"], "deit_nano_patch4_32");
  EXPECT_EQ(all["eval_sets"], Json::array({"original"}));
  place = all["places"][0];
  EXPECT_EQ(place["states"]["done"], 2);
  EXPECT_EQ(place["tasks_done"], 4);
  EXPECT_DOUBLE_EQ(place["figures"]["original"]["mean"].get<double>(), 62);
  EXPECT_NEAR(place["figures"]["original"]["deviation"].get<double>(), 2.8284271, 1e-6);
  EXPECT_EQ(place["figures"]["original"]["seeds"], 2);
  EXPECT_EQ(matrix({id, "top5"})["places"][0]["figures"], Json::object());
}

// BG-Gap comes of its two sets, gains of the row's plain cells, and of which sets a low figure is
// the better one the daemon says, not the page.
TEST_F(DatabaseViewsTest, MatrixHasGapsAndGains) {
  protocol::SubmitGrid other;
  other.name = "gaps";
  const Task prepare =
      make_task(TaskKind::kPrepare, spec_json(experiments::PrepareSpec{{{"x"}}}), "prepare");
  other.tasks.push_back(prepare);
  const std::vector<std::string> sets = {"shifted/mixed_same@released",
                                         "shifted/mixed_rand@released", "no_fg", "original"};
  for (const char* labeler : {"none", "saliency"}) {
    Cell cell = make_cell(7);
    cell.labeler_name = labeler;
    if (cell.labeler_name != "none") cell.labeler = experiments::LabelerSpec{{labeler}};
    other.cells.push_back(cell);
    other.tasks.push_back(make_task(TaskKind::kTrain, {{"cell", cell.identity()}},
                                    "train " + cell.labeler_name, {prepare.id()}, cell.id()));
    const std::string train = other.tasks.back().id();
    for (const std::string& set : sets) {
      other.tasks.push_back(make_task(TaskKind::kEvaluate,
                                      {{"cell", cell.identity()}, {"eval_set", set}}, set, {train},
                                      cell.id()));
    }
  }
  while (work()) {
  }
  const int64_t number = engine->submit(other).grid_id;
  while (const auto assignment = engine->claim({worker}).assignment) {
    auto result = result_of(*assignment);
    if (assignment->task.kind == TaskKind::kEvaluate) {
      const std::string set = assignment->task.spec.at("eval_set");
      const bool masked = assignment->task.cell_id == other.cells[1].id();
      const double value = set == sets[0] ? (masked ? 70 : 60) : set == sets[1] ? 50 : 40;
      result.figures = {{"raw", set, "top1", value, 100}};
    }
    engine->result(result);
  }
  const Json all = matrix({number});
  const std::string gap = "shifted/bg_gap@released";
  EXPECT_THAT(all["eval_sets"], ::testing::Contains(gap));
  EXPECT_EQ(all["lower_is_better"], Json::array({"no_fg", gap}));
  Json plain, masked;
  for (const Json& place : all["places"])
    (place["labeler"] == "none" ? plain : masked) = place["figures"];
  EXPECT_EQ(plain[gap]["mean"], 10);
  EXPECT_EQ(plain[gap]["gain"], nullptr);
  EXPECT_EQ(masked[gap]["mean"], 20);
  EXPECT_EQ(masked[gap]["gain"], 10);
  EXPECT_EQ(masked["original"]["gain"], 0);
  const Json compared = compare({other.cells[0].id(), other.cells[1].id()});
  EXPECT_EQ(compared["lower_is_better"], Json::array({"no_fg", gap}));
  bool found = false;
  for (const Json& figure : compared["cells"][1]["figures"]) {
    if (figure["eval_set"] != gap) continue;
    found = true;
    EXPECT_EQ(figure["value"], 20);
  }
  EXPECT_TRUE(found);
}

TEST_F(DatabaseViewsTest, CurvesJoinAttemptsAndAreThinned) {
  work();
  std::vector<protocol::MetricPoint> points;
  for (int64_t step = 0; step < 100; ++step)
    points.push_back({step, step / 10.0, "loss", 5.0 - step});
  const auto first = engine->claim({worker}).assignment;
  auto beat = heartbeat_of(*first, 99);
  beat.metrics = points;
  engine->heartbeat(beat);
  engine->result(result_of(*first, protocol::Ending::kReleased));
  const auto second = engine->claim({worker}).assignment;
  ASSERT_EQ(second->task_id, first->task_id);
  beat = heartbeat_of(*second, 120);
  beat.metrics = {{99, 9.9, "loss", 1000}, {120, 12, "loss", std::nan("")}, {120, 12, "lr", 0.5}};
  engine->heartbeat(beat);

  const Json shown = curves({id});
  ASSERT_EQ(shown["series"].size(), 1u);
  EXPECT_EQ(shown["names"], Json::array({"loss", "lr"}));
  EXPECT_EQ(shown["series"][0]["state"], "running");
  EXPECT_EQ(shown["more"], false);
  const Json& all = shown["series"][0]["points"];
  ASSERT_EQ(all.size(), 101u);
  EXPECT_EQ(all[0], Json::array({0, 0.0, 5.0}));
  EXPECT_EQ(all[99], Json::array({99, 9.9, 1000.0})) << "the later attempt's word";
  EXPECT_EQ(all[100][2], nullptr);
  const Json few = curves({id, "loss", 100, 11})["series"][0]["points"];
  ASSERT_EQ(few.size(), 11u);
  EXPECT_EQ(few[0][0], 0);
  EXPECT_EQ(few[10][0], 120);
  EXPECT_EQ(views().task_metrics(first->task_id, {"lr"}, 10).series[0].points.size(), 1u);
}

TEST_F(DatabaseViewsTest, ComparisonShowsWhatDiffersAndNothingElse) {
  work(), work();
  auto about = make_worker(2);
  about.environment = {{"processor", "second"}, {"cores", 2}};
  worker = engine->register_worker(about).worker_id;
  work(60), work();
  const std::string one = grid.cells[0].id(), two = grid.cells[1].id();
  const Json answer = compare({one.substr(0, 10), two});
  std::vector<std::string> names;
  for (const Json& each : answer["differences"]) names.push_back(each["name"]);
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("recipe.epochs", "seed"));
  names.clear();
  for (const Json& each : answer["environment_differences"]) names.push_back(each["name"]);
  EXPECT_THAT(names, ::testing::Contains("environment.processor"));
  EXPECT_THAT(names, ::testing::Not(::testing::Contains("environment.cores")));
  EXPECT_EQ(answer["cells"][0]["figures"][0]["value"], 60);
  EXPECT_EQ(compare({one, one})["differences"], Json::array());
  EXPECT_THROW(compare({"00"}), InputError);
  EXPECT_THROW(compare({"zzzzzz"}), NotFound);
}

TEST_F(DatabaseViewsTest, CannotWrite) {
  DatabaseViews open = views();
  EXPECT_TRUE(open.environments("none").empty());
  EXPECT_THROW(DatabaseViews(folder.path / "none.db"), Error);
}

TEST(FlattenedTest, NamesNestedMembers) {
  EXPECT_EQ(flattened({{"a", {{"b", 1}, {"c", Json::array({1})}}}, {"d", Json::object()}}),
            (Json{{"a.b", 1}, {"a.c", Json::array({1})}, {"d", Json::object()}}));
  EXPECT_EQ(flattened(nullptr), Json::object());
}

TEST(SpreadTest, KeepsTheEnds) {
  EXPECT_EQ(spread(3, 5), (std::vector<size_t>{0, 1, 2}));
  EXPECT_EQ(spread(101, 3), (std::vector<size_t>{0, 50, 100}));
  EXPECT_EQ(spread(0, 3), (std::vector<size_t>{}));
}

TEST(TaskLogTest, IsReadInPiecesThatCutNoCharacter) {
  TemporaryFolder folder;
  EXPECT_EQ(read_task_log(folder.path, {"t"}).attempt, std::nullopt);
  const fs::path log = folder.path / "runs" / "t" / "2" / "log.txt";
  write_file_atomic(folder.path / "runs" / "t" / "1" / "log.txt", "old\n");
  write_file_atomic(log, "first line\nkappa \xce\xba here\n");
  auto piece = read_task_log(folder.path, {"t"});
  EXPECT_EQ(piece.attempt, 2);
  EXPECT_EQ(piece.text, "first line\nkappa \xce\xba here\n");
  EXPECT_EQ(piece.next, piece.size);
  piece = read_task_log(folder.path, {"t", 1});
  EXPECT_EQ(piece.text, "old\n");
  piece = read_task_log(folder.path, {"t", 0, std::nullopt, 20});
  EXPECT_EQ(piece.text, "kappa \xce\xba here\n") << "from the beginning of a line";
  piece = read_task_log(folder.path, {"t", 0, 0, 18});
  EXPECT_EQ(piece.text, "first line\nkappa ");
  piece = read_task_log(folder.path, {"t", 0, piece.next, 100});
  EXPECT_EQ(piece.text, "\xce\xba here\n");
  piece = read_task_log(folder.path, {"t", 0, 5000, 100});
  EXPECT_EQ(piece.text, "");
}

}  // namespace
}  // namespace remixer::coordinator
