// SPDX-License-Identifier: Apache-2.0
#include "core/training/checkpoint.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "tests/support/program.h"

namespace remixer::training {
namespace {

using remixer::testing::ScratchFolder;
using NamedTensors = std::vector<models::Model::NamedTensor>;

void write(const fs::path& folder, int64_t step, const std::string& cell = "a cell") {
  RunState state;
  state.cell = cell;
  state.seed = 11;
  state.step = step;
  state.updates = step - 1;
  state.epoch = step / 4;
  state.loss_sum = 0.1 * static_cast<double>(step);
  state.loss_count = step % 4;
  state.unreported = {0.7 / 3, step % 20};
  state.scaler = {1024.0 / 3, 17};
  state.best_epoch = 2;
  state.best_top1 = 100.0 / 7;
  state.best_loss = 0.3;
  write_checkpoint(folder, state, {{"model.w", at::full({3}, static_cast<double>(step))}});
}

void damage(const fs::path& path) {
  std::string bytes = read_file(path);
  bytes[bytes.size() - 2] ^= 0x20;
  write_file_atomic(path, bytes);
}

TEST(CheckpointTest, ComesBackAsWritten) {
  const ScratchFolder folder("checkpoint");
  write(folder.path(), 7);
  const auto found = find_checkpoint({folder.path()}, "a cell");
  ASSERT_TRUE(found);
  RunState expected;
  expected.cell = "a cell";
  expected.seed = 11;
  expected.step = 7;
  expected.updates = 6;
  expected.epoch = 1;
  expected.loss_sum = 0.1 * 7;
  expected.loss_count = 3;
  expected.unreported = {0.7 / 3, 7};
  expected.scaler = {1024.0 / 3, 17};
  expected.best_epoch = 2;
  expected.best_top1 = 100.0 / 7;
  expected.best_loss = 0.3;
  EXPECT_EQ(found->state, expected);
  const NamedTensors tensors{{"model.w", at::zeros({3})}};
  read_tensors(found->tensors, tensors);
  EXPECT_TRUE(at::equal(tensors[0].second, at::full({3}, 7.0)));
}

// Written before there were scalers and held-out images: nothing is lost.
TEST(CheckpointTest, TheFormatBeforeIsStillRead) {
  const ScratchFolder folder("checkpoint");
  write(folder.path(), 7);
  const fs::path file = folder / "checkpoint-00000007.json";
  auto json = Json::parse(read_file(file));
  Json old = {{"format", 1}};
  for (const char* name : {"cell", "step", "epoch", "loss_sum", "loss_count", "tensors_sha256"}) {
    old[name] = json.at(name);
  }
  old["sha256"] = sha256_hex(old.dump());
  write_file_atomic(file, old.dump(2) + "\n");
  const auto found = find_checkpoint({folder.path()}, "a cell");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->state.step, 7);
  EXPECT_EQ(found->state.updates, 7);
  EXPECT_EQ(found->state.best_epoch, -1);
  old["format"] = 3;
  old.erase("sha256");
  old["sha256"] = sha256_hex(old.dump());
  write_file_atomic(file, old.dump(2) + "\n");
  EXPECT_FALSE(find_checkpoint({folder.path()}, "a cell"));
}

TEST(CheckpointTest, NewestWholeOneOfAllFoldersIsTaken) {
  const ScratchFolder folder("checkpoint");
  write(folder / "1", 5);
  write(folder / "1", 20);
  write(folder / "2", 9);
  const std::vector<fs::path> folders{folder / "1", folder / "2", folder / "none"};
  EXPECT_EQ(find_checkpoint(folders, "a cell")->state.step, 20);
  damage(folder / "1" / checkpoint_name(20));
  EXPECT_EQ(find_checkpoint(folders, "a cell")->state.step, 9);
  damage(folder / "2/checkpoint-00000009.json");
  EXPECT_EQ(find_checkpoint(folders, "a cell")->state.step, 5);
  fs::remove(folder / "1" / checkpoint_name(5));
  EXPECT_FALSE(find_checkpoint(folders, "a cell"));
}

TEST(CheckpointTest, NewestTwoAreKept) {
  const ScratchFolder folder("checkpoint");
  for (int64_t step : {3, 6, 9, 12}) write(folder.path(), step);
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder.path()))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{
                       "checkpoint-00000009.json", "checkpoint-00000009.safetensors",
                       "checkpoint-00000012.json", "checkpoint-00000012.safetensors"}));
}

TEST(CheckpointTest, AnotherCellsIsRefused) {
  const ScratchFolder folder("checkpoint");
  write(folder.path(), 3, "another");
  EXPECT_THROW(find_checkpoint({folder.path()}, "a cell"), InputError);
}

TEST(CheckpointTest, TensorsMustFitTheRun) {
  const ScratchFolder folder("checkpoint");
  write(folder.path(), 3);
  const fs::path file = folder.path() / checkpoint_name(3);
  EXPECT_THROW(read_tensors(file, {{"model.w", at::zeros({4})}}), InputError);
  EXPECT_THROW(read_tensors(file, {{"model.w", at::zeros({3}, at::kDouble)}}), InputError);
  EXPECT_THROW(read_tensors(file, {{"model.v", at::zeros({3})}}), InputError);
  EXPECT_THROW(read_tensors(file, {}), InputError);
}

}  // namespace
}  // namespace remixer::training
