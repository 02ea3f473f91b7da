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

answers::TaskSummary task(const char* id, const char* title, std::vector<int64_t> grids = {}) {
  answers::TaskSummary made;
  made.task_id = id;
  made.title = title;
  made.grids = std::move(grids);
  return made;
}

answers::Grid grid(int64_t id, const char* name) {
  answers::Grid made;
  made.id = id;
  made.name = name;
  return made;
}

const std::vector<answers::TaskSummary> kTasks = {task("abcd1111", "train deit · none"),
                                                  task("abcd2222", "train deit · saliency"),
                                                  task("ef001234", "train deit")};

std::string refusal(const std::string& text) {
  try {
    find_task(kTasks, text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(FindTask, ByIdPrefixOrTitle) {
  EXPECT_EQ(find_task(kTasks, "abcd2222").task_id, "abcd2222");
  EXPECT_EQ(find_task(kTasks, "ef00").task_id, "ef001234");
  EXPECT_EQ(find_task(kTasks, "EF001").task_id, "ef001234");
  EXPECT_EQ(find_task(kTasks, "Saliency").task_id, "abcd2222");
  // A whole title is meant even where it is a part of others.
  EXPECT_EQ(find_task(kTasks, "train deit").task_id, "ef001234");
}

TEST(FindTask, RefusesNoneAndSeveral) {
  EXPECT_THAT(refusal("mixer"), HasSubstr("'mixer'"));
  EXPECT_THAT(refusal(""), HasSubstr("no task"));
  EXPECT_THAT(refusal("abcd"),
              AllOf(HasSubstr("2 tasks"), HasSubstr("abcd1111"), HasSubstr("saliency")));
  EXPECT_THAT(refusal("train"), HasSubstr("3 tasks"));
}

TEST(FindTask, TakesTheNewestGridsOfTheSameTitle) {
  const std::vector<answers::TaskSummary> tasks = {task("old1", "train deit", {1, 2}),
                                                   task("new1", "train deit", {1, 3}),
                                                   task("old2", "train mixer", {2, 1})};
  EXPECT_EQ(find_task(tasks, "train deit").task_id, "new1");
  EXPECT_EQ(find_task(tasks, "DEIT").task_id, "new1");
  EXPECT_EQ(find_task(tasks, "old1").task_id, "old1");
  EXPECT_EQ(find_task(tasks, "mixer").task_id, "old2");
}

TEST(FindGrid, ByNameTheNewestElseByNumber) {
  const std::vector<answers::Grid> grids = {grid(3, "quick"), grid(2, "quick"), grid(1, "3")};
  EXPECT_EQ(find_grid(grids, "quick").value().id, 3);
  EXPECT_EQ(find_grid(grids, "2").value().id, 2);
  EXPECT_EQ(find_grid(grids, "3").value().id, 1);
  EXPECT_FALSE(find_grid(grids, "slow").has_value());
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
    EXPECT_EQ(source.grid(1).cell_list.size(), seeds.size());
    EXPECT_EQ(source.grid(1).next, std::nullopt);
    EXPECT_EQ(source.task("Train 1000").title, "train 1000");
    EXPECT_EQ(source.task("evaluate 7 on mixed_rand").kind, "evaluate");
    const auto prepare = source.whole_task(source.task("prepare").task_id);
    EXPECT_EQ(prepare.dependants.size(), 3 * seeds.size());
    EXPECT_EQ(prepare.next, std::nullopt);
    const answers::TaskList first = source.tasks_page("", 0);
    EXPECT_EQ(first.tasks.size(), 1000u);
    EXPECT_EQ(source.tasks_page("1", first.next.value()).tasks.size(), 1000u);
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
  Json status;
  std::vector<Json> grids, tasks, each_grid, each_task;
};

Told tell(const fs::path& workspace, bool with_daemon) {
  Source source(workspace);
  EXPECT_EQ(source.has_daemon(), with_daemon);
  Told told{to_json(source.status()), {}, {}, {}, {}};
  for (const answers::Grid& grid : source.grids()) {
    told.grids.push_back(to_json(grid));
    told.each_grid.push_back(to_json(source.grid(grid.id)));
  }
  for (const answers::TaskSummary& task : source.tasks()) {
    told.tasks.push_back(to_json(task));
    told.each_task.push_back(to_json(source.whole_task(task.task_id)));
  }
  // What only a daemon knows, and the time of asking.
  for (Json& grid : told.status["grids"]) grid.erase("seconds_left");
  for (std::vector<Json>* grids : {&told.grids, &told.each_grid}) {
    for (Json& grid : *grids) grid.erase("seconds_left");
  }
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
  EXPECT_TRUE(source.status().workers.empty());
  EXPECT_EQ(source.whole_task(source.task("train 3").task_id).explanation,
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
