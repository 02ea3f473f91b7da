// SPDX-License-Identifier: Apache-2.0
// The engine: publications, deleted files, dead processes, many callers at once.
#include "coordinator/engine/engine.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <thread>

#include "base/file.h"
#include "base/host.h"
#include "coordinator/engine/publish.h"
#include "coordinator/views/views.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator {
namespace {

using namespace testing;
using protocol::Assignment;
using protocol::Publication;
using ::testing::HasSubstr;

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    engine.reset();
    Settings settings;
    settings.workspace = folder.path.string();
    settings.backoff_seconds = 0;
    engine = std::make_unique<Engine>(
        Engine::Options{folder.path, folder.path / "remixer.db", settings});
  }
  std::string join(int64_t pid = 1) { return engine->register_worker(make_worker(pid)).worker_id; }
  Assignment claim(const std::string& worker) { return engine->claim({worker}).assignment.value(); }
  Json task(const std::string& id) {
    return engine->query([&](const Engine::View& view) { return to_json(task_view(view, id)); });
  }
  // Writes a file into the attempt's folder and reports it as the prepared dataset.
  protocol::AttemptResult prepared(const Assignment& assignment, const std::string& to) {
    write_file_atomic(folder.path / assignment.folder / "out" / "data.bin", "bytes");
    auto result = result_of(assignment);
    result.result = {{"folder", to}};
    result.publish = {{assignment.folder + "/out", to}};
    return result;
  }

  TemporaryFolder folder;
  std::unique_ptr<Engine> engine;
};

TEST_F(EngineTest, AcceptedResultsFilesAreInPlaceWhenItIsAnswered) {
  engine->submit(make_grid("g", {1}));
  const auto result = prepared(claim(join()), "datasets/abc");
  EXPECT_TRUE(engine->result(result).accepted);
  EXPECT_EQ(read_file(folder.path / "datasets/abc/data.bin"), "bytes");
  EXPECT_EQ(task(result.task_id)["state"], "done");
}

TEST_F(EngineTest, PublishingTwiceIsHarmless) {
  engine->submit(make_grid("g", {1}));
  const auto result = prepared(claim(join()), "datasets/abc");
  // As after a crash between the move and the commit.
  publish_all(folder.path, attempt_folder(result.task_id, 1), result.publish);
  open();
  EXPECT_TRUE(engine->result(result).accepted);
  EXPECT_EQ(read_file(folder.path / "datasets/abc/data.bin"), "bytes");
}

TEST_F(EngineTest, StaleAttemptPublishesNothing) {
  engine->submit(make_grid("g", {1}));
  auto result = prepared(claim(join()), "datasets/abc");
  ++result.fence;
  EXPECT_FALSE(engine->result(result).accepted);
  EXPECT_FALSE(fs::exists(folder.path / "datasets/abc"));
}

TEST_F(EngineTest, PublicationsStayInTheirFolders) {
  const std::string inside = "runs/t/1";
  fs::create_directories(folder.path / inside);
  write_file_atomic(folder.path / inside / "file", "x");
  write_file_atomic(folder.path / "secret", "x");
  fs::create_symlink(folder.path, folder.path / inside / "link");
  const auto refused = [&](const std::string& from, const std::string& to) {
    EXPECT_THROW(publish_all(folder.path, inside, {{from, to}}), InputError) << from << " " << to;
  };
  refused("secret", "datasets/x");
  refused("runs/t/1/../../../secret", "datasets/x");
  refused("runs/t/10/file", "datasets/x");
  refused("runs/t/1/link/secret", "datasets/x");
  refused((folder.path / inside / "file").string(), "datasets/x");
  refused("runs/t/1/file", "remixer.db");
  refused("runs/t/1/file", "datasets/../remixer.db");
  refused("runs/t/1/file", "datasets");
  refused("runs/t/1/file", "/tmp/datasets/x");
  EXPECT_TRUE(fs::exists(folder.path / "secret"));
  publish_all(folder.path, inside, {{"runs/t/1/file", "models/x"}});
  EXPECT_TRUE(fs::exists(folder.path / "models/x"));
}

TEST_F(EngineTest, PublicationThatCannotBeMadeFailsTheAttempt) {
  engine->submit(make_grid("g", {1}));
  auto result = result_of(claim(join()));
  result.publish = {{attempt_folder(result.task_id, 1) + "/nothing", "datasets/x"}};
  EXPECT_TRUE(engine->result(result).accepted);
  const Json after = task(result.task_id);
  EXPECT_EQ(after["state"], "ready");
  EXPECT_THAT(after["attempts"][0]["reason"].get<std::string>(), HasSubstr("no such file"));
}

TEST_F(EngineTest, DeletedFilesAreMadeAgain) {
  const auto grid = make_grid("g", {1});
  engine->submit(grid);
  engine->result(prepared(claim(join()), "datasets/abc"));
  EXPECT_EQ(engine->submit(grid).tasks_reused, 1);
  fs::remove_all(folder.path / "datasets/abc");
  const auto again = engine->submit(grid);
  EXPECT_EQ(again.tasks_reused, 0);
  EXPECT_EQ(again.tasks_queued, 1);
  EXPECT_EQ(claim(join(2)).attempt, 2);
}

TEST_F(EngineTest, RunningAttemptSurvivesARestart) {
  engine->submit(make_grid("g", {1}));
  const Assignment assignment = claim(join());
  open();
  EXPECT_FALSE(engine->claim({join(2)}).assignment) << "its worker may still be at work";
  EXPECT_EQ(engine->heartbeat(heartbeat_of(assignment, 5)).order, protocol::Order::kContinue);
  EXPECT_TRUE(engine->result(result_of(assignment)).accepted);
}

TEST_F(EngineTest, WorkersWhoseProcessHasEndedAreSeen) {
  engine->submit(make_grid("g", {1}));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  auto worker = make_worker(child, host_name());
  worker.boot_id = boot_id();
  worker.pid_namespace = pid_namespace();
  ::waitpid(child, nullptr, 0);
  const Assignment assignment = claim(engine->register_worker(worker).worker_id);
  engine->tick();
  EXPECT_EQ(task(assignment.task_id)["state"], "ready");
  EXPECT_EQ(claim(join(2)).attempt, 2);

  auto living = make_worker(::getpid(), host_name());
  living.boot_id = boot_id();
  living.pid_namespace = pid_namespace();
  living.started = process_started(::getpid());
  EXPECT_GT(living.started, 0);
  const std::string id = engine->register_worker(living).worker_id;
  engine->tick();
  const auto workers = engine->query(workers_view).workers;
  EXPECT_TRUE(std::any_of(workers.begin(), workers.end(),
                          [&](const auto& each) { return each.worker_id == id; }));
}

// A container counts its pids by itself, and two machines may have one name: what cannot be seen
// from here is known by its lease alone. A pid that was given out again is not the worker's.
TEST_F(EngineTest, OnlyProcessesThatAreSeenFromHereAreDeclaredDead) {
  engine->submit(make_grid("g", {1}));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ::waitpid(child, nullptr, 0);
  auto contained = make_worker(child, host_name());
  contained.boot_id = boot_id();
  contained.pid_namespace = "pid:[1]";
  auto namesake = make_worker(child, host_name());
  namesake.boot_id = "another machine";
  namesake.pid_namespace = pid_namespace();
  auto reused = make_worker(::getpid(), host_name());
  reused.boot_id = boot_id();
  reused.pid_namespace = pid_namespace();
  reused.started = process_started(::getpid()) - 1;
  std::vector<std::string> ids;
  for (const auto& about : {contained, namesake, reused}) {
    ids.push_back(engine->register_worker(about).worker_id);
  }
  const Assignment assignment = claim(ids[0]);
  engine->tick();
  EXPECT_EQ(task(assignment.task_id)["state"], "running");
  std::vector<bool> gone;
  engine->query([&](const Engine::View& view) {
    for (const std::string& id : ids) gone.push_back(view.state.workers.at(id).gone);
  });
  EXPECT_EQ(gone, (std::vector<bool>{false, false, true}));
}

TEST_F(EngineTest, ManyCallersEachGetTheirOwnAttempt) {
  std::vector<int64_t> seeds;
  for (int64_t i = 0; i < 40; ++i) seeds.push_back(i);
  engine->submit(make_grid("g", seeds));
  engine->result(result_of(claim(join(1000))));
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::set<std::string> tasks;
  int given = 0;
  for (int64_t i = 1; i <= 4; ++i) {
    threads.emplace_back([&, i] {
      const std::string worker = join(i);
      while (const auto assignment = engine->claim({worker}).assignment) {
        {
          std::lock_guard lock(mutex);
          tasks.insert(assignment->task_id);
          ++given;
        }
        engine->result(result_of(*assignment));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(given, 120);
  EXPECT_EQ(tasks.size(), 120u);
}

TEST_F(EngineTest, StatusSaysWhatRunsWhatFailedAndHowLongItTakes) {
  engine->submit(make_grid("g", {1, 2}));
  const std::string worker = join();
  engine->result(result_of(claim(worker)));
  const Assignment train = claim(worker);
  auto beat = heartbeat_of(train, 0);
  engine->heartbeat(beat);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  beat.step = 50;
  beat.metrics = {{50, 1, "loss", 1.5}};
  engine->heartbeat(beat);
  Json status = to_json(engine->query(status_view));
  ASSERT_EQ(status["running"].size(), 1u);
  EXPECT_EQ(status["running"][0]["title"], "train 1");
  EXPECT_EQ(status["running"][0]["metrics"]["loss"], 1.5);
  EXPECT_GT(status["running"][0]["seconds_left"].get<double>(), 0.0);  // as long again
  EXPECT_EQ(status["grids"][0]["kinds"]["train"],
            (Json{{"total", 2}, {"done", 0}, {"running", 1}, {"failed", 0}}));
  EXPECT_EQ(status["grids"][0]["state"], "running");
  EXPECT_GT(status["grids"][0]["seconds_left"].get<double>(), 0.0);
  EXPECT_EQ(status["workers"][0]["task_id"], train.task_id);

  engine->result(result_of(train, protocol::Ending::kBadInput));
  status = to_json(engine->query(status_view));
  ASSERT_EQ(status["failures"].size(), 1u);
  EXPECT_EQ(status["failures"][0]["reason"], "as the test wanted");
  EXPECT_EQ(status["failures"][0]["log"], train.folder + "/log.txt");
  EXPECT_EQ(status["grids"][0]["cells_failed"], 1);
  EXPECT_EQ(status["grids"][0]["states"]["blocked"], 2);
}

TEST_F(EngineTest, GridListsItsCellsWithTheirFigures) {
  const auto submitted = engine->submit(make_grid("g", {1, 2}));
  const std::string worker = join();
  for (int i = 0; i < 4; ++i) {
    const Assignment assignment = claim(worker);
    auto result = result_of(assignment);
    if (assignment.task.kind == TaskKind::kEvaluate) {
      result.figures = {{"raw", assignment.task.spec["eval_set"], "top1", 60.25, 1000}};
    }
    engine->result(result);
  }
  const Json grid =
      engine->query([&](const Engine::View& view) { return to_json(grid_view(view, "g", {})); });
  EXPECT_EQ(grid["id"], submitted.grid_id);
  EXPECT_EQ(grid["cells_done"], 1);
  ASSERT_EQ(grid["cell_list"].size(), 2u);
  EXPECT_EQ(grid["cell_list"][0]["state"], "done");
  EXPECT_EQ(grid["cell_list"][0]["figures"].size(), 2u);
  EXPECT_EQ(grid["cell_list"][1]["state"], "waiting");
}

// A full disk, as far as the database is concerned: nothing is answered that is not stored, and
// work goes on once there is room.
TEST_F(EngineTest, WhatCannotBeStoredHasNotHappened) {
  engine->submit(make_grid("g", {1}));
  const std::string worker = join();
  {
    SQLite::Database other((folder.path / "remixer.db").string(), SQLite::OPEN_READWRITE);
    SQLite::Transaction writing(other, SQLite::TransactionBehavior::IMMEDIATE);
    EXPECT_THROW(engine->claim({worker}), Unavailable);
  }
  const Assignment assignment = claim(worker);
  EXPECT_EQ(assignment.attempt, 1);
  EXPECT_EQ(assignment.fence, 1);
}

// Such as one that another version wrote: the worker is not at fault, and asks again.
TEST_F(EngineTest, TaskThatCannotBeReadIsGivenOutOnceItCan) {
  engine->submit(make_grid("g", {1}));
  const std::string worker = join();
  SQLite::Database other((folder.path / "remixer.db").string(), SQLite::OPEN_READWRITE);
  other.setBusyTimeout(5000);
  other.exec("UPDATE task SET spec = '{' || spec");
  EXPECT_THROW(engine->claim({worker}), Unavailable);
  other.exec("UPDATE task SET spec = substr(spec, 2)");
  EXPECT_EQ(claim(worker).attempt, 1);
}

}  // namespace
}  // namespace remixer::coordinator
