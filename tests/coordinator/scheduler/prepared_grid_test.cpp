// SPDX-License-Identifier: Apache-2.0
// A grid made ready from the message and from the request's text is the same.
#include "coordinator/scheduler/prepared_grid.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "experiments/grid/grid.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator {
namespace {

using namespace testing;

void expect_equal(const PreparedGrid& a, const PreparedGrid& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.text, b.text);
  ASSERT_EQ(a.cells.size(), b.cells.size());
  ASSERT_EQ(a.tasks.size(), b.tasks.size());
  for (size_t i = 0; i < a.cells.size(); ++i) {
    EXPECT_EQ(a.cells[i].id, b.cells[i].id);
    EXPECT_EQ(a.cells[i].identity, b.cells[i].identity);
    EXPECT_EQ(a.cells[i].recipe_name.text(), b.cells[i].recipe_name.text());
  }
  for (size_t i = 0; i < a.tasks.size(); ++i) {
    EXPECT_EQ(a.tasks[i].id, b.tasks[i].id);
    EXPECT_EQ(a.tasks[i].spec, b.tasks[i].spec);
    EXPECT_EQ(a.tasks[i].similar.text(), b.tasks[i].similar.text());
    EXPECT_EQ(a.tasks[i].title, b.tasks[i].title);
    EXPECT_EQ(a.tasks[i].cell, b.tasks[i].cell);
    EXPECT_EQ(a.tasks[i].dependencies, b.tasks[i].dependencies);
  }
}

TEST(PreparedGridTest, HasTheIdsOfItsCellsAndTasks) {
  const auto grid = make_grid("g", {1, 2});
  const PreparedGrid prepared = prepare_grid(grid);
  for (size_t i = 0; i < grid.tasks.size(); ++i) {
    EXPECT_EQ(prepared.tasks[i].id, grid.tasks[i].id());
  }
  EXPECT_EQ(prepared.cells[1].id, grid.cells[1].id());
  EXPECT_EQ(Json::parse(prepared.tasks[1].spec), (Json{{"kind", "train"}}));
  EXPECT_EQ(prepared.tasks[1].similar.text(), prepared.tasks[4].similar.text());
  EXPECT_NE(prepared.tasks[1].similar.text(), prepared.tasks[2].similar.text());
  EXPECT_EQ(prepared.tasks[5].cell, 1);
  EXPECT_EQ(prepared.dependency_id(prepared.tasks[5].dependencies[1]), grid.tasks[4].id());
}

TEST(PreparedGridTest, IsTheSameFromTheTextWithItsMembersInAnyOrder) {
  const auto grid = make_grid("g", {1, 2});
  const PreparedGrid prepared = prepare_grid(grid);
  const Json whole = experiments::protocol::to_json(grid);
  expect_equal(prepare_grid(whole.dump()), prepared);
  std::string turned =
      "{\"tasks\":" + whole["tasks"].dump() + ",\"cells\":" + whole["cells"].dump() +
      ",\"name\":\"g\",\"description\":\"\",\"text\":" + whole["text"].dump() + "}";
  expect_equal(prepare_grid(turned), prepared);
  // Specs may hold the cells as well.
  Json full = whole;
  for (size_t i = 0; i < grid.tasks.size(); ++i) full["tasks"][i]["spec"] = grid.tasks[i].spec;
  expect_equal(prepare_grid(full.dump()), prepared);
}

// What the daemon expands is what a command would have sent.
TEST(PreparedGridTest, IsTheSameFromTheGridsFile) {
  const std::string text = R"(name = "study"
description = "two models"
[dataset.fashion-bg]
builder = "fashion-bg"
[recipe.short]
epochs = 1
warmup_epochs = 0
shards = 2
shard_size = 16
[[cells]]
architecture = ["deit_nano_patch4_32", "mixer_nano_patch4_32"]
labeler = ["none", "bbox_grabcut"]
dataset = "fashion-bg"
recipe = "short"
seed = [0, 1, 2]
[[evaluation]]
sets = ["original", "mixed_rand"]
)";
  const auto grid = experiments::parse_grid(text, "study.toml");
  protocol::SubmitGrid message;
  message.name = grid.name;
  message.description = grid.description;
  message.text = grid.text;
  message.cells = grid.cells;
  message.tasks = grid.tasks;
  const PreparedGrid prepared = prepare_grid_file(text, "study.toml", "");
  EXPECT_EQ(prepared.cells.size(), 12u);
  expect_equal(prepared, prepare_grid(message));
  try {
    prepare_grid_file("name = \"x\"\nsede = 1\n", "study.toml", "");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()).substr(0, 13), "study.toml:2:");
  }
}

TEST(PreparedGridTest, RefusesWhatIsWrong) {
  const Json good = experiments::protocol::to_json(make_grid("g", {1}));
  const auto refused = [&](auto change) {
    Json json = good;
    change(json);
    EXPECT_THROW(prepare_grid(json.dump()), InputError) << json.dump();
  };
  EXPECT_THROW(prepare_grid(std::string("{\"name\":")), InputError);
  EXPECT_THROW(prepare_grid(std::string("[]")), InputError);
  refused([](Json& j) { j.erase("name"); });
  refused([](Json& j) { j["more"] = 1; });
  refused([](Json& j) { j["cells"] = {1, 2}; });
  refused([](Json& j) { j["cells"] = Json::object(); });
  refused([](Json& j) { j["cells"][0].erase("recipe_name"); });
  refused([](Json& j) { j["tasks"][1]["cell_id"] = std::string(64, 'a'); });
  refused([](Json& j) { j["tasks"][1]["spec"]["cell"] = {{"architecture", "other"}}; });
  refused([](Json& j) { j["tasks"][0]["spec"].erase("dataset"); });
}

// Taking it apart again could exhaust the stack.
TEST(PreparedGridTest, RefusesWhatIsNestedTooDeeply) {
  const std::string deep = std::string(200, '[') + std::string(200, ']');
  try {
    prepare_grid("{\"name\":\"g\",\"description\":" + deep + "}");
    FAIL() << "taken";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "the body is nested more than 100 deep");
  }
}

}  // namespace
}  // namespace remixer::coordinator
