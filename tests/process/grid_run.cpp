// SPDX-License-Identifier: Apache-2.0
#include "tests/process/grid_run.h"

#include <SQLiteCpp/SQLiteCpp.h>

namespace remixer::testing {

std::string program(const std::string& name) {
  return std::string(REMIXER_PROGRAMS) + "/" + name;
}

std::string small_grid(int epochs, const std::string& architecture) {
  return fmt::format(R"(name = "small"

[dataset.fashion-bg]
builder = "fashion-bg"
train_images = 320
test_images = 40

[recipe.short]
epochs = {}
shards = 2
shard_size = 16
learning_rate = 1.5e-3
learning_rate_batch = 0
kappa_lr = 1e-2
warmup_epochs = 1
schedule_unit = "step"
mixup = 0.8
cutmix = 1.0
drop_path = 0.1
ema_decay = 0.9

[[cells]]
architecture = "{}"
labeler = ["none", "bbox_grabcut"]
dataset = "fashion-bg"
recipe = "short"
seed = 0

[[evaluation]]
sets = ["original", "mixed_same", "mixed_rand"]
)",
                     epochs, architecture);
}

std::vector<std::string> run_command(const ScratchFolder& folder, const std::string& grid) {
  write_file_atomic(folder / "small.toml", grid);
  return {program("remixer"),
          "--workspace",
          (folder / "workspace").string(),
          "run",
          (folder / "small.toml").string(),
          "--workers",
          "1",
          "--ranks",
          "2"};
}

namespace {
SQLite::Database open(const fs::path& workspace) {
  return SQLite::Database((workspace / "remixer.db").string(), SQLite::OPEN_READONLY, 5000);
}
}  // namespace

std::map<std::string, double> figures(const fs::path& workspace) {
  auto database = open(workspace);
  SQLite::Statement query(
      database,
      "SELECT labeler || '/' || weights || '/' || eval_set || '/' || metric, value FROM results");
  std::map<std::string, double> all;
  while (query.executeStep()) {
    const std::string name = query.getColumn(0);
    if (!all.emplace(name, query.getColumn(1).getDouble()).second)
      fail("{} stands twice in results", name);
  }
  return all;
}

std::map<std::string, double> curves(const fs::path& workspace) {
  auto database = open(workspace);
  SQLite::Statement query(database,
                          "SELECT c.labeler || '/' || m.name || '/' || m.step, m.value FROM "
                          "metrics m JOIN runs r USING "
                          "(task_id, attempt) JOIN cells c USING (cell_id) WHERE m.name IN "
                          "('loss', 'lr', 'base_lr') OR "
                          "m.name LIKE 'kappa%' ORDER BY m.attempt");
  std::map<std::string, double> all;
  while (query.executeStep()) {
    all[query.getColumn(0).getString()] = query.getColumn(1).getDouble();
  }
  return all;
}

int64_t count(const fs::path& workspace, const std::string& sql) {
  auto database = open(workspace);
  return database.execAndGet(sql).getInt64();
}

}  // namespace remixer::testing
