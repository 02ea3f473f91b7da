// SPDX-License-Identifier: Apache-2.0
// Workspace and database belong together, or nothing is touched.
#include "coordinator/engine/workspace_id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "coordinator/engine/adopt.h"
#include "coordinator/engine/garbage_collection.h"
#include "experiments/protocol/kept_result.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator {
namespace {

using namespace testing;
using protocol::Assignment;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class WorkspaceIdTest : public ::testing::Test {
 protected:
  std::unique_ptr<Engine> open(const std::string& database, bool adopt = false) {
    Settings settings;
    settings.lease_seconds = 0.001;
    return std::make_unique<Engine>(Engine::Options{folder.path / "work", folder.path / database,
                                                    settings, &system_clock(), adopt});
  }
  std::string refusal(const std::string& database, bool adopt = false) {
    try {
      open(database, adopt);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }
  // Does the whole grid, as workers do.
  void work_through(Engine& engine) {
    engine.submit(grid);
    const std::string worker = engine.register_worker(make_worker(1)).worker_id;
    while (const auto task = engine.claim({worker, {}}).assignment) {
      auto result = result_of(*task);
      result.worker_id = worker;
      const std::string file = task->folder + "/model.safetensors";
      write_file_atomic(folder.path / "work" / file, task->task_id);
      result.result = {{"model", file}};
      if (task->task.kind == TaskKind::kEvaluate) {
        result.figures = {{"raw", task->task.spec["eval_set"], "top1", 60.25, 1000}};
      }
      protocol::write_kept_result(folder.path / "work" / task->folder, result);
      EXPECT_TRUE(engine.result(result).accepted);
    }
  }
  int64_t runs() const {
    return std::distance(fs::directory_iterator(folder.path / "work/runs"),
                         fs::directory_iterator());
  }

  TemporaryFolder folder;
  protocol::SubmitGrid grid = make_grid("g", {1});
};

TEST_F(WorkspaceIdTest, BothCarryOneAndGoOnTogether) {
  work_through(*open("a.db"));
  EXPECT_TRUE(fs::exists(folder.path / "work/workspace.json"));
  EXPECT_EQ(refusal("a.db"), "");
  // A copy put back is the workspace's own as well; a lost id file is written again.
  fs::copy(folder.path / "a.db", folder.path / "copy.db");
  EXPECT_EQ(refusal("copy.db"), "");
  fs::remove(folder.path / "work/workspace.json");
  EXPECT_EQ(refusal("a.db"), "");
  EXPECT_TRUE(fs::exists(folder.path / "work/workspace.json"));
}

TEST_F(WorkspaceIdTest, EmptyAndForeignDatabasesAreRefused) {
  work_through(*open("a.db"));
  EXPECT_THAT(refusal("new.db"), HasSubstr("remixer adopt"));
  {
    Settings settings;
    Engine other(Engine::Options{folder.path / "other", folder.path / "other.db", settings});
    other.submit(make_grid("h", {7}));
  }
  EXPECT_THAT(refusal("other.db"), HasSubstr("belongs to another workspace"));
  EXPECT_THAT(refusal("other.db", true), HasSubstr("belongs to another workspace"));
  EXPECT_EQ(runs(), 4);
  EXPECT_EQ(refusal("a.db"), "");
}

TEST_F(WorkspaceIdTest, WorkspaceThatIsNotMountedIsNotBegunAfresh) {
  work_through(*open("a.db"));
  fs::rename(folder.path / "work", folder.path / "unmounted");
  EXPECT_THAT(refusal("a.db"), HasSubstr("mounted"));
  EXPECT_FALSE(fs::exists(folder.path / "work/workspace.json"));
}

TEST_F(WorkspaceIdTest, WhatNoDatabaseKnowsIsNotDeletedUnasked) {
  work_through(*open("a.db"));
  const auto engine = open("new.db", true);
  for (const std::optional<int64_t> quota : {std::optional<int64_t>(), std::optional<int64_t>(0)}) {
    const Collected collected = collect_garbage(*engine, {.dry_run = false, .quota = quota});
    EXPECT_TRUE(collected.items.empty());
    EXPECT_EQ(collected.unknown_folders, 4);
    EXPECT_GT(collected.unknown_bytes, 0);
  }
  EXPECT_EQ(runs(), 4);
  EXPECT_EQ(collect_garbage(*engine, {.dry_run = true, .quota = {}, .unknown = true}).items.size(),
            4u);
}

TEST_F(WorkspaceIdTest, AdoptReadsResultsBack) {
  work_through(*open("a.db"));
  // Of the training, other bytes than the result says: it is not believed.
  const std::string train = grid.tasks[1].id();
  const fs::path kept = folder.path / "work/runs" / train / "1";
  auto result = protocol::read_kept_result(kept).value();
  result.result["model_sha256"] = std::string(64, '0');
  protocol::write_kept_result(kept, result);

  const auto engine = open("new.db", true);
  const auto submitted = engine->submit(grid);
  EXPECT_EQ(submitted.tasks_queued, 4);
  const Adopted adopted = adopt_results(*engine, submitted.grid_id);
  EXPECT_EQ(adopted.tasks, 4);
  EXPECT_EQ(adopted.adopted, 3);
  ASSERT_EQ(adopted.refused.size(), 1u);
  EXPECT_THAT(adopted.refused[0].why, HasSubstr("SHA-256"));
  engine->query([&](const Engine::View& view) {
    EXPECT_EQ(view.state.task(train).state, TaskState::kReady);
    const TaskEntry& evaluated = view.state.task(grid.tasks[2].id());
    EXPECT_EQ(evaluated.state, TaskState::kDone);
    EXPECT_EQ(view.store.figures(evaluated).size(), 1u);
  });
  // What is made again does not go where the first attempt's files are.
  const std::string worker = engine->register_worker(make_worker(5)).worker_id;
  const Assignment again = engine->claim({worker, {}}).assignment.value();
  EXPECT_EQ(again.task_id, train);
  EXPECT_EQ(again.attempt, 2);
  EXPECT_EQ(again.previous.size(), 1u);
  EXPECT_TRUE(collect_garbage(*engine, {.dry_run = true, .quota = {}}).items.empty());
}

// An older copy of the database knows fewer attempts than have run.
TEST_F(WorkspaceIdTest, NewAttemptsDoNotWriteIntoFoldersThatAreThere) {
  {
    const auto engine = open("a.db");
    engine->submit(grid);
    const std::string worker = engine->register_worker(make_worker(1)).worker_id;
    engine->result(result_of(engine->claim({worker, {}}).assignment.value()));
  }
  const std::string train = grid.tasks[1].id();
  fs::create_directories(folder.path / "work/runs" / grid.tasks[0].id() / "1");
  fs::create_directories(folder.path / "work/runs" / train / "3");
  const auto engine = open("a.db");
  const std::string worker = engine->register_worker(make_worker(2)).worker_id;
  const Assignment next = engine->claim({worker, {}}).assignment.value();
  EXPECT_EQ(next.task_id, train);
  EXPECT_EQ(next.attempt, 4);
}

TEST(AttemptNumberTest, IsWhatAFoldersNameSays) {
  EXPECT_EQ(attempt_number("12"), 12);
  for (const char* name : {"", "1a", "-1", "+1", " 1", "1 ", "checkpoint", "9223372036854775807",
                           "000000000000000001"}) {
    EXPECT_EQ(attempt_number(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace remixer::coordinator
