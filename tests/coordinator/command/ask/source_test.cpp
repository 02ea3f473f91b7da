// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/ask/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
