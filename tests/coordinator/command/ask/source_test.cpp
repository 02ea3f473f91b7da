// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/ask/source.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "base/error.h"
#include "coordinator/daemon/daemon.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator::command {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const Json kTasks = Json::array({{{"task_id", "abcd1111"}, {"title", "train deit · none"}},
                                 {{"task_id", "abcd2222"}, {"title", "train deit · saliency"}},
                                 {{"task_id", "ef001234"}, {"title", "train deit"}}});

std::string refusal(const std::string& text) {
  try {
    find_task(kTasks, text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(FindTask, ByIdPrefixOrTitle) {
  EXPECT_EQ(find_task(kTasks, "abcd2222")["task_id"], "abcd2222");
  EXPECT_EQ(find_task(kTasks, "ef00")["task_id"], "ef001234");
  EXPECT_EQ(find_task(kTasks, "EF001")["task_id"], "ef001234");
  EXPECT_EQ(find_task(kTasks, "Saliency")["task_id"], "abcd2222");
  // A whole title is meant even where it is a part of others.
  EXPECT_EQ(find_task(kTasks, "train deit")["task_id"], "ef001234");
}

TEST(FindTask, RefusesNoneAndSeveral) {
  EXPECT_THAT(refusal("mixer"), HasSubstr("'mixer'"));
  EXPECT_THAT(refusal(""), HasSubstr("no task"));
  EXPECT_THAT(refusal("abcd"),
              AllOf(HasSubstr("2 tasks"), HasSubstr("abcd1111"), HasSubstr("saliency")));
  EXPECT_THAT(refusal("train"), HasSubstr("3 tasks"));
}

TEST(FindTask, TakesTheNewestGridsOfTheSameTitle) {
  const Json tasks =
      Json::array({{{"task_id", "old1"}, {"title", "train deit"}, {"grids", {1, 2}}},
                   {{"task_id", "new1"}, {"title", "train deit"}, {"grids", {1, 3}}},
                   {{"task_id", "old2"}, {"title", "train mixer"}, {"grids", {2, 1}}}});
  EXPECT_EQ(find_task(tasks, "train deit")["task_id"], "new1");
  EXPECT_EQ(find_task(tasks, "DEIT")["task_id"], "new1");
  EXPECT_EQ(find_task(tasks, "old1")["task_id"], "old1");
  EXPECT_EQ(find_task(tasks, "mixer")["task_id"], "old2");
}

TEST(FindGrid, ByNameTheNewestElseByNumber) {
  const Json grids = Json::array(
      {{{"id", 3}, {"name", "quick"}}, {{"id", 2}, {"name", "quick"}}, {{"id", 1}, {"name", "3"}}});
  EXPECT_EQ(find_grid(grids, "quick")["id"], 3);
  EXPECT_EQ(find_grid(grids, "2")["id"], 2);
  EXPECT_EQ(find_grid(grids, "3")["id"], 1);
  EXPECT_TRUE(find_grid(grids, "slow").is_null());
}

// More than the daemon says at once; the database alone says the same.
TEST(Source, ReadsListingsToTheirEnd) {
  testing::TemporaryFolder folder;
  std::vector<int64_t> seeds(1001);
  std::iota(seeds.begin(), seeds.end(), 1);
  const auto look = [&] {
    Source source(folder.path);
    EXPECT_EQ(source.tasks().size(), 1 + 3 * seeds.size());
    EXPECT_EQ(source.tasks_of(1).size(), 1 + 3 * seeds.size());
    EXPECT_EQ(source.grid(1).at("cell_list").size(), seeds.size());
    EXPECT_FALSE(source.grid(1).contains("next"));
    EXPECT_EQ(source.task("Train 1000").at("title"), "train 1000");
    EXPECT_EQ(source.task("evaluate 7 on mixed_rand").at("kind"), "evaluate");
    const Json prepare = source.whole_task(source.task("prepare")["task_id"]);
    EXPECT_EQ(prepare.at("dependants").size(), 3 * seeds.size());
    EXPECT_FALSE(prepare.contains("next"));
    const Json first = source.tasks_page("", 0);
    EXPECT_EQ(first.at("tasks").size(), 1000u);
    EXPECT_EQ(source.tasks_page("1", first.at("next").get<int64_t>()).at("tasks").size(), 1000u);
    return source.has_daemon();
  };
  {
    DaemonOptions options;
    options.workspace = folder.path;
    options.workers = 0;
    Daemon daemon(options);
    daemon.start();
    Session(daemon.access())
        .post("/grids", experiments::protocol::to_json(testing::make_grid("g", seeds)));
    EXPECT_TRUE(look());
    daemon.stop();
    daemon.wait();
  }
  EXPECT_FALSE(look());
}

// All there is to tell of a workspace.
struct Told {
  Json status, grids, tasks;
  std::vector<Json> each_grid, each_task;
};

Told tell(const fs::path& workspace, bool with_daemon) {
  Source source(workspace);
  EXPECT_EQ(source.has_daemon(), with_daemon);
  Told told{source.status(), source.grids(), source.tasks(), {}, {}};
  for (const Json& grid : told.grids) told.each_grid.push_back(source.grid(grid.at("id")));
  for (const Json& task : told.tasks) told.each_task.push_back(source.whole_task(task["task_id"]));
  // What only a daemon knows, and the time of asking.
  for (Json* json : {&told.status["grids"], &told.grids}) {
    for (Json& grid : *json) grid.erase("seconds_left");
  }
  for (Json& grid : told.each_grid) grid.erase("seconds_left");
  for (Json& task : told.each_task) task.erase("environments");
  return told;
}

// Grids that are paused, cancelled, failed and done: the daemon and the database say the same.
TEST(Source, SaysTheSameWithoutADaemon) {
  namespace protocol = experiments::protocol;
  testing::TemporaryFolder folder;
  Told with;
  {
    DaemonOptions options;
    options.workspace = folder.path;
    options.grace_seconds = 0;
    Daemon daemon(options);
    daemon.start();
    Session session(daemon.access());
    const auto submit = [&](const std::string& name, const std::vector<int64_t>& seeds) {
      const Json grid = protocol::to_json(testing::make_grid(name, seeds));
      return session.post("/grids", grid).at("grid_id").get<int64_t>();
    };
    submit("works", {1, 2});
    const std::string worker =
        session.post("/workers", protocol::to_json(testing::make_worker(1)))["worker_id"];
    const auto end = [&](protocol::Ending ending) {
      const auto task = protocol::from_json<protocol::ClaimReply>(
                            session.post("/claim", protocol::to_json(protocol::Claim{worker, {}})))
                            .assignment.value();
      session.post("/result", protocol::to_json(testing::result_of(task, ending)));
    };
    end(protocol::Ending::kDone);
    end(protocol::Ending::kDone);
    end(protocol::Ending::kOutOfMemory);
    session.post(fmt::format("/grids/{}/pause", submit("paused", {3})));
    session.post(fmt::format("/grids/{}/cancel", submit("cancelled", {4})));
    with = tell(folder.path, true);
    daemon.stop();
    daemon.wait();
  }
  std::map<std::string, std::string> states;
  for (const Json& grid : with.grids) states[grid["name"]] = grid["state"];
  EXPECT_EQ(states, (std::map<std::string, std::string>{
                        {"works", "running"}, {"paused", "paused"}, {"cancelled", "cancelled"}}));
  const Told without = tell(folder.path, false);
  EXPECT_EQ(without.grids, with.grids);
  EXPECT_EQ(without.tasks, with.tasks);
  EXPECT_EQ(without.each_grid, with.each_grid);
  for (const char* name : {"grids", "running", "failures", "finished"}) {
    EXPECT_EQ(without.status[name], with.status[name]) << name;
  }
  ASSERT_EQ(without.each_task.size(), with.each_task.size());
  for (size_t i = 0; i < with.each_task.size(); ++i) {
    Json here = without.each_task[i], there = with.each_task[i];
    // Why a task waits is another matter where nobody works.
    if (here["state"] == "ready") here.erase("explanation"), there.erase("explanation");
    EXPECT_EQ(here, there);
  }
  Source source(folder.path);
  EXPECT_EQ(source.status()["workers"], Json::array());
  EXPECT_EQ(source.whole_task(source.task("train 3")["task_id"])["explanation"],
            "grid 'paused' is paused; `remixer resume 2` continues it");
}

TEST(Source, RefusesADatabaseThatIsNotOurs) {
  testing::TemporaryFolder folder;
  const auto refused = [&] {
    try {
      Source source(folder.path);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refused(), HasSubstr("does not exist"));
  const fs::path file = folder.path / "remixer.db";
  SQLite::Database(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec("CREATE TABLE a(b)");
  EXPECT_THAT(refused(), AllOf(HasSubstr(file.string()), HasSubstr("another program's")));
}

TEST(Source, NamesTheWorkspaceThatIsNotThere) {
  try {
    Source source("/nonexistent/workspace");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("/nonexistent/workspace"));
  }
}

}  // namespace
}  // namespace remixer::coordinator::command
