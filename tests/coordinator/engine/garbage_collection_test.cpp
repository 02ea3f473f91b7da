// SPDX-License-Identifier: Apache-2.0
// Garbage: what goes, in which order, and what never does.
#include "coordinator/engine/garbage_collection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/file.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator {
namespace {

using namespace testing;
using protocol::Assignment;
using protocol::Ending;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;
namespace fs = std::filesystem;

class CollectTest : public ::testing::Test {
 protected:
  CollectTest() {
    Settings settings;
    settings.backoff_seconds = settings.loss_backoff_seconds = 0;
    engine = std::make_unique<Engine>(
        Engine::Options{folder.path, folder.path / "remixer.db", settings});
    worker = engine->register_worker(make_worker(1)).worker_id;
  }
  Assignment claim() { return engine->claim({worker, {}}).assignment.value(); }
  // As a training leaves them: the text is written last.
  void write_checkpoint(const Assignment& assignment, int step, size_t bytes = 100000) {
    const fs::path at = folder.path / assignment.folder / fmt::format("checkpoint-{:08}", step);
    write_file_atomic(at.string() + ".safetensors", std::string(bytes, 'x'));
    write_file_atomic(at.string() + ".json", "{}");
  }
  void finish(const Assignment& assignment, Ending ending = Ending::kDone) {
    EXPECT_TRUE(engine->result(result_of(assignment, ending)).accepted);
  }
  bool there(const Assignment& assignment, const std::string& name) const {
    return fs::exists(folder.path / assignment.folder / name);
  }
  static std::vector<std::string> reasons(const Collected& collected) {
    std::vector<std::string> list;
    for (const auto& item : collected.items) list.emplace_back(to_string(item.why));
    return list;
  }

  TemporaryFolder folder;
  std::unique_ptr<Engine> engine;
  std::string worker;
};

TEST_F(CollectTest, CheckpointsGoOnceTheModelIsThere) {
  engine->submit(make_grid("g", {1}));
  finish(claim());
  const Assignment first = claim();
  write_checkpoint(first, 10);
  finish(first, Ending::kReleased);
  const Assignment second = claim();
  write_checkpoint(second, 20);
  write_file_atomic(folder.path / second.folder / "model.safetensors", "model");

  // It runs: its own checkpoint stays, and the earlier attempt's is not needed beside it.
  EXPECT_THAT(reasons(collect_garbage(*engine, {.dry_run = true, .quota = {}})),
              ElementsAre("superseded", "superseded"));
  EXPECT_TRUE(there(first, "checkpoint-00000010.json")) << "a dry run deletes nothing";
  finish(second);
  const Collected collected = collect_garbage(*engine, {});
  EXPECT_EQ(collected.items.size(), 4u);
  EXPECT_GT(collected.freed_bytes, 200000);
  EXPECT_FALSE(there(first, "checkpoint-00000010.json"));
  EXPECT_FALSE(there(second, "checkpoint-00000020.safetensors"));
  EXPECT_TRUE(there(second, "model.safetensors"));
  EXPECT_TRUE(collect_garbage(*engine, {}).items.empty());
}

TEST_F(CollectTest, WhatARunGoesOnFromStays) {
  engine->submit(make_grid("g", {1}));
  finish(claim());
  const Assignment first = claim();
  write_checkpoint(first, 10);
  finish(first, Ending::kReleased);
  const Assignment second = claim();  // has not written one yet
  EXPECT_TRUE(collect_garbage(*engine, {}).items.empty());
  // Half a checkpoint is none.
  write_file_atomic(folder.path / second.folder / "checkpoint-00000020.safetensors", "x");
  EXPECT_TRUE(collect_garbage(*engine, {}).items.empty());
  EXPECT_TRUE(there(first, "checkpoint-00000010.json"));
}

TEST_F(CollectTest, QuotaTakesNoMoreThanItMustAndFailedTasksLast) {
  engine->submit(make_grid("g", {1, 2}));
  finish(claim());
  const Assignment failed = claim();
  write_checkpoint(failed, 10);
  finish(failed, Ending::kBadInput);
  Assignment other = claim();
  while (other.task.kind != TaskKind::kTrain) {
    finish(other);
    other = claim();
  }
  write_checkpoint(other, 10);
  write_checkpoint(other, 20);
  finish(other);
  EXPECT_EQ(collect_garbage(*engine, {.dry_run = true, .quota = {}}).items.size(), 4u);
  const Collected all = collect_garbage(*engine, {.dry_run = true, .quota = 0});
  EXPECT_EQ(reasons(all).back(), "stuck");
  EXPECT_EQ(all.items.size(), 6u);

  CollectOptions options;
  options.quota = all.used_bytes - 50000;
  const Collected little = collect_garbage(*engine, options);
  EXPECT_GE(little.freed_bytes, 50000);
  EXPECT_LT(little.items.size(), 4u);
  EXPECT_TRUE(there(failed, "checkpoint-00000010.json"));
  EXPECT_TRUE(collect_garbage(*engine, options).items.empty()) << "it is kept already";
}

TEST_F(CollectTest, FilesOfRemovedAndUnknownTasksGo) {
  const auto grid = make_grid("g", {1});
  engine->submit(grid);
  const Assignment prepare = claim();
  write_file_atomic(folder.path / prepare.folder / "out" / "data", "x");
  auto result = result_of(prepare);
  result.result = {{"folder", "datasets/abc"}};
  result.publish = {{prepare.folder + "/out", "datasets/abc"}};
  EXPECT_TRUE(engine->result(result).accepted);
  write_file_atomic(folder.path / "runs" / std::string(64, 'a') / "1" / "log.txt", "x");
  write_file_atomic(folder.path / "runs" / "notes of mine" / "a.txt", "x");
  EXPECT_THAT(reasons(collect_garbage(*engine, {})), ElementsAre());
  EXPECT_TRUE(fs::exists(folder.path / "runs" / std::string(64, 'a'))) << "nobody asked for it";
  CollectOptions all;
  all.unknown = true;
  EXPECT_THAT(reasons(collect_garbage(*engine, all)), ElementsAre("unknown"));
  EXPECT_FALSE(fs::exists(folder.path / "runs" / std::string(64, 'a')));
  EXPECT_TRUE(fs::exists(folder.path / "runs" / "notes of mine"));

  EXPECT_TRUE(fs::exists(folder.path / "datasets/abc/data"));
  engine->remove_task(grid.tasks[0].id());
  // Files are deleted in a background thread, after the answer.
  const auto is_gone = [&](const fs::path& path) {
    for (int i = 0; i < 500 && fs::exists(path); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return !fs::exists(path);
  };
  EXPECT_TRUE(is_gone(folder.path / "datasets/abc"));
  EXPECT_TRUE(is_gone(folder.path / "runs" / prepare.task_id));
  EXPECT_EQ(engine->submit(grid).tasks_queued, 4);
  EXPECT_EQ(claim().attempt, 2);
}

}  // namespace
}  // namespace remixer::coordinator
