// SPDX-License-Identifier: Apache-2.0
// What must outlive the daemon: schema, views, transactions, crashes.
#include "coordinator/store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

#include "base/file.h"
#include "coordinator/store/backup.h"
#include "coordinator/store/schema.h"
#include "tests/coordinator/store/store_fixture.h"

namespace remixer::coordinator {
namespace {

using namespace testing;
using protocol::Assignment;
using ::testing::HasSubstr;

TEST_F(StoreTest, ViewsHoldWhatWasCommitted) {
  {
    Store store(file);
    fill(store);
  }
  EXPECT_EQ(rows("SELECT architecture, spatial_prior, labeler, train_set, recipe, seed, weights,"
                 " eval_set, metric, value, n FROM results ORDER BY eval_set"),
            (std::vector<std::string>{
                "deit_nano_patch4_32|none|none|fashion|short|1|raw|mixed_rand|top1|61.5|1000",
                "deit_nano_patch4_32|none|none|fashion|short|1|raw|original|top1|61.5|1000"}));
  EXPECT_EQ(rows("SELECT kind, attempt, state, worker, started_at, ended_at, reason FROM runs"
                 " WHERE kind = 'train'"),
            std::vector<std::string>{
                "train|1|done|elsewhere:1|2026-11-23T10:48:00Z|2026-11-23T10:48:00Z|-"});
  EXPECT_EQ(rows("SELECT attempt, step, epoch, name, value FROM metrics").size(), 4u);
  EXPECT_EQ(rows("SELECT grid_id, grid, position, cell_id FROM grid_cells"),
            std::vector<std::string>{"1|g|0|" + make_cell(1).id()});
  EXPECT_EQ(rows("SELECT position, kind, title, state FROM grid_tasks WHERE position < 2"),
            (std::vector<std::string>{"0|prepare|prepare fashion|done", "1|train|train 1|done"}));
  EXPECT_EQ(rows("SELECT identity FROM cells"),
            std::vector<std::string>{canonical_json(make_cell(1).identity())});
  EXPECT_EQ(rows("SELECT count(*) FROM environments"), std::vector<std::string>{"4"});
}

// A report of before that still reads holds the file: the daemon waits for it, or says so.
TEST_F(StoreTest, OpeningWaitsForReaders) {
  {
    Store store(file);
    fill(store);
  }
  SQLite::Database reader(file.string(), SQLite::OPEN_READONLY);
  reader.exec("BEGIN");
  reader.execAndGet("SELECT count(*) FROM task");
  try {
    Store store(file, 1000, std::chrono::milliseconds(50));
    ADD_FAILURE() << "opened";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("another program has been using it for 0.05 s"));
  }
  std::thread ends([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    reader.exec("COMMIT");
  });
  EXPECT_NO_THROW(Store store(file));
  ends.join();
}

std::vector<std::string> ids(const std::vector<TaskEntry*>& entries) {
  std::vector<std::string> list;
  for (const TaskEntry* entry : entries) list.push_back(entry->id());
  return list;
}

TEST_F(StoreTest, StateComesBackAsItWas) {
  Store store(file);
  fill(store);
  Runner before(store);
  before.ask<protocol::GridSubmitted>(SubmitEvent{make_grid("h", {1, 2}), {}});
  before.tell(ConfigureGridEvent{2, {7, 3, 1, 0}});
  before.tell(PauseGridEvent{1, Pause::kNow});
  const Assignment running = before.claim("w1");
  const State after = store.load(kNow, kSettings);
  ASSERT_EQ(after.tasks.size(), before.state.tasks.size());
  for (const auto& [id, entry] : before.state.tasks) {
    const TaskEntry& other = after.task(id);
    EXPECT_EQ(other.state, entry.state) << entry.title;
    EXPECT_EQ(ids(other.dependencies), ids(entry.dependencies));
    EXPECT_EQ(other.order, entry.order);
    EXPECT_EQ(other.similar, entry.similar);
    EXPECT_EQ(other.fence, entry.fence);
  }
  for (const auto& [id, grid] : before.state.grids) {
    const GridEntry& other = after.grid(id);
    EXPECT_EQ(other.counts, grid.counts);
    EXPECT_EQ(other.cells_done, grid.cells_done);
    EXPECT_EQ(other.ready.size(), grid.ready.size());
    EXPECT_EQ(other.settings, grid.settings);
    EXPECT_EQ(other.paused, grid.paused);
    EXPECT_EQ(other.said, grid.said);
    EXPECT_EQ(ids(other.tasks), ids(grid.tasks));
  }
  EXPECT_EQ(after.held, before.state.held);
  EXPECT_EQ(after.next_fence, before.state.next_fence);
  EXPECT_EQ(after.next_grid, before.state.next_grid);
  EXPECT_EQ(after.next_task, before.state.next_task);
  EXPECT_EQ(after.next_cell, before.state.next_cell);
  EXPECT_EQ(after.next_order, before.state.next_order);
  EXPECT_EQ(after.next_notice, before.state.next_notice);
  EXPECT_EQ(after.task(running.task_id).newest->held_until,
            kNow.monotonic + kSettings.lease_seconds);
  EXPECT_EQ(after.cells.at(make_cell(2).id()).dataset_name.text(), "fashion");
}

TEST_F(StoreTest, AssignmentsAreFilledInFromTheStore) {
  Store store(file);
  Runner runner(store);
  const auto grid = make_grid("g", {1});
  runner.ask<protocol::GridSubmitted>(SubmitEvent{grid, {}});
  const std::string worker = runner.join(1);
  runner.ask<protocol::ResultReply>(ResultEvent{result_of(runner.claim(worker))});
  Assignment train = runner.claim(worker);
  store.texts(train).complete(train);
  EXPECT_EQ(train.task.spec, (Json{{"kind", "train"}}));
  train.task.spec["cell"] = train.cell.value().identity();
  EXPECT_EQ(train.task.spec, grid.tasks[1].spec);
  EXPECT_EQ(train.task.id(), train.task_id);
  EXPECT_EQ(store.spec(runner.state.task(train.task_id)), train.task.spec);
  EXPECT_EQ(train.inputs[0].spec, grid.tasks[0].spec);
  EXPECT_EQ(train.inputs[0].result, (Json{{"attempt", 1}}));
  EXPECT_EQ(train.cell->id(), make_cell(1).id());
  EXPECT_EQ(train.cell->recipe_name, "short");
}

// The last line of defence: whatever the scheduler did, there is one result, of the newest attempt.
TEST_F(StoreTest, SecondOrStaleResultsAreRefusedByTheDatabaseItself) {
  Store store(file);
  Runner runner(store);
  runner.ask<protocol::GridSubmitted>(SubmitEvent{make_grid("g", {1}), {}});
  const Assignment first = runner.claim(runner.join(1));
  const int64_t task = runner.state.task(first.task_id).number;
  EXPECT_THROW(store.commit({PutResult{task, first.fence + 1, "{}", {}}}), Error);
  store.commit({PutResult{task, first.fence, "{}", {}}});
  EXPECT_THROW(store.commit({PutResult{task, first.fence, "{\"other\":1}", {}}}), Error);
  EXPECT_EQ(store.result(runner.state.task(first.task_id)), Json::object());
}

TEST_F(StoreTest, HeartbeatThatArrivesTwiceLeavesOneRow) {
  Store store(file);
  Runner runner(store);
  runner.ask<protocol::GridSubmitted>(SubmitEvent{make_grid("g", {1}), {}});
  auto beat = heartbeat_of(runner.claim(runner.join(1)), 3);
  beat.metrics = {{3, 0.1, "loss", 2.0}};
  for (int i = 0; i < 2; ++i) runner.ask<protocol::HeartbeatReply>(HeartbeatEvent{beat});
  EXPECT_EQ(rows("SELECT step, value FROM metrics"), std::vector<std::string>{"3|2.0"});
}

TEST_F(StoreTest, FailedCommitLeavesNothing) {
  Store store(file);
  Runner runner(store);
  const Effects effects = step(runner.state, SubmitEvent{make_grid("g", {1}), {}}, kNow, kSettings);
  std::vector<Write> writes = effects.writes;
  Attempt orphan;
  orphan.fence = 1;
  orphan.worker_id = "nobody";
  writes.push_back(PutAttempt{1, orphan});
  EXPECT_THROW(store.commit(writes), Error);
  EXPECT_TRUE(store.load(kNow, kSettings).tasks.empty());
  store.commit(effects.writes);
  EXPECT_EQ(store.load(kNow, kSettings).tasks.size(), 4u);
}

// Databases as each version of the program left them: a study half done, with a failed training and
// one that was running.
class OlderSchema : public StoreTest, public ::testing::WithParamInterface<int> {};

TEST_P(OlderSchema, IsBroughtForward) {
  {
    SQLite::Database database(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec(
        read_file(fs::path(REMIXER_FIXTURES) / fmt::format("version_{}.sql", GetParam())));
    ASSERT_EQ(database.execAndGet("PRAGMA user_version").getInt(), GetParam());
  }
  Store store(file);
  EXPECT_EQ(rows("PRAGMA user_version"), std::vector<std::string>{std::to_string(kSchemaVersion)});
  EXPECT_TRUE(rows("PRAGMA foreign_key_check").empty());
  const State state = store.load(kNow, kSettings);
  EXPECT_EQ(state.tasks.size(), 16u);
  EXPECT_EQ(state.cells.size(), 4u);
  const GridEntry& grid = state.grid(1);
  EXPECT_EQ(grid.name, "quickstart");
  EXPECT_EQ(grid.count(TaskState::kDone), 4);
  EXPECT_EQ(grid.count(TaskState::kFailed), 1);
  EXPECT_EQ(grid.count(TaskState::kBlocked), 2);
  EXPECT_EQ(grid.count(TaskState::kRunning), 1);
  EXPECT_EQ(grid.cells_done, 1);
  EXPECT_EQ(grid.said, Said::kNothing);
  EXPECT_EQ(state.next_fence, 7);
  ASSERT_EQ(state.held.size(), 1u);
  // Every task is what it was: its spec still has its id.
  for (const auto& [id, entry] : state.tasks) {
    EXPECT_EQ(content_id(store.spec(entry)), id);
    EXPECT_EQ(entry.state == TaskState::kDone, !store.result(entry).is_null());
    if (entry.state == TaskState::kFailed) {
      EXPECT_EQ(entry.reason, "a torn JPEG");
      EXPECT_EQ(store.attempts(entry).size(), 1u);
    }
  }
  EXPECT_EQ(rows("SELECT architecture, eval_set, value FROM results ORDER BY eval_set"),
            (std::vector<std::string>{"deit_nano_patch4_32|mixed_rand|61.25",
                                      "deit_nano_patch4_32|original|61.25"}));
  EXPECT_EQ(rows("SELECT count(*), min(name), min(value) FROM metrics"),
            std::vector<std::string>{"6|loss|1.5"});
  EXPECT_EQ(rows("SELECT count(*) FROM runs"), std::vector<std::string>{"6"});
}

// Commands look at a database without a daemon, and must leave it as it is.
TEST_P(OlderSchema, IsReadAsItIs) {
  {
    SQLite::Database database(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec(
        read_file(fs::path(REMIXER_FIXTURES) / fmt::format("version_{}.sql", GetParam())));
  }
  const std::string before = read_file(file);
  {
    const Store store(std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READONLY),
                      file.string());
    const State state = store.load(kNow, kSettings);
    EXPECT_EQ(state.tasks.size(), 16u);
    EXPECT_EQ(state.grid(1).count(TaskState::kFailed), 1);
    for (const auto& [id, entry] : state.tasks) EXPECT_EQ(content_id(store.spec(entry)), id);
  }
  EXPECT_EQ(read_file(file), before);
}

INSTANTIATE_TEST_SUITE_P(EveryVersion, OlderSchema, ::testing::Range(1, kSchemaVersion + 1));

TEST_F(StoreTest, BackupIsTheDatabaseOfOneMoment) {
  Store store(file);
  fill(store);
  const fs::path copy = folder.path / "copies" / "study.db";
  const BackupSummary summary = back_up(file, copy);
  EXPECT_EQ(summary.grids, 1);
  EXPECT_EQ(summary.tasks, 4);
  EXPECT_EQ(summary.results, 2);
  EXPECT_EQ(fs::file_size(copy), summary.bytes);
  EXPECT_THROW(back_up(file, copy), InputError);
  EXPECT_THROW(back_up(folder.path / "nothing.db", folder.path / "other.db"), Error);
  EXPECT_FALSE(fs::exists(folder.path / "other.db"));
  Store again(copy);
  EXPECT_EQ(again.load(kNow, kSettings).grid(1).count(TaskState::kDone), 4);
  for (const auto& each : fs::directory_iterator(folder.path / "copies")) {
    EXPECT_EQ(each.path().filename().string().find("partial"), std::string::npos);
  }
}

TEST_F(StoreTest, NewerSchemaIsRefusedAndLeftAlone) {
  { Store store(file); }
  {
    SQLite::Database database(file.string(), SQLite::OPEN_READWRITE);
    database.exec("PRAGMA user_version = 99");
  }
  EXPECT_THAT(message_of_opening(), HasSubstr("newer version"));
  EXPECT_EQ(rows("PRAGMA user_version"), std::vector<std::string>{"99"});
}

TEST_F(StoreTest, ForeignDatabaseIsRefusedAndLeftAlone) {
  {
    SQLite::Database database(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec("CREATE TABLE recipes (name TEXT)");
  }
  const std::string before = read_file(file);
  EXPECT_THAT(message_of_opening(), HasSubstr("another program's"));
  EXPECT_EQ(read_file(file), before);
}

TEST_F(StoreTest, WhatIsNoDatabaseIsRefused) {
  write_file_atomic(file, std::string(4096, 'x'));
  EXPECT_THAT(message_of_opening(), HasSubstr("not a database"));
}

TEST_F(StoreTest, DamagedDatabaseIsRefused) {
  {
    Store store(file);
    fill(store);
  }
  std::string bytes = read_file(file);
  for (size_t i = 4096; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31);
  write_file_atomic(file, bytes);
  EXPECT_FALSE(message_of_opening().empty());
}

// A process submits grid after grid, says so after each answer, and is killed at some moment.
TEST_F(StoreTest, KilledProcessKeepsEveryAcknowledgedSubmit) {
  for (int round = 0; round < 5; ++round) {
    int channel[2];
    ASSERT_EQ(::pipe(channel), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      Store store(file);
      Runner runner(store);
      for (int64_t seed = round * 100000;; ++seed) {
        runner.ask<protocol::GridSubmitted>(
            SubmitEvent{make_grid("g" + std::to_string(seed), {seed}), {}});
        if (::write(channel[1], &seed, sizeof(seed)) != sizeof(seed)) ::_exit(1);
      }
    }
    ::close(channel[1]);
    std::vector<int64_t> acknowledged;
    int64_t seed = 0;
    while (acknowledged.size() < static_cast<size_t>(3 + 4 * round) &&
           ::read(channel[0], &seed, sizeof(seed)) == sizeof(seed)) {
      acknowledged.push_back(seed);
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(channel[0], &seed, sizeof(seed)) == sizeof(seed)) acknowledged.push_back(seed);
    ::close(channel[0]);
    ASSERT_GE(acknowledged.size(), 3u);

    Store store(file);
    const State state = store.load(kNow, kSettings);
    for (const int64_t each : acknowledged) {
      for (const Task& task : make_grid("", {each}).tasks)
        EXPECT_EQ(state.tasks.count(task.id()), 1u);
    }
    EXPECT_GE(state.grids.size(), acknowledged.size());
    EXPECT_LE(state.tasks.size(), 1 + 3 * state.grids.size());
  }
}

}  // namespace
}  // namespace remixer::coordinator
