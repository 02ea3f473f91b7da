// SPDX-License-Identifier: Apache-2.0
// What an export holds of a database, and what it takes from others.
#include "coordinator/store/compact.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "coordinator/store/schema.h"
#include "tests/coordinator/store/store_fixture.h"

namespace remixer::coordinator {
namespace {

using namespace testing;

class CompactTest : public StoreTest {};

TEST_F(CompactTest, KeepsWhatCameOfTheGridsAlone) {
  Store store(file);
  fill(store);
  Runner runner(store);
  runner.ask<protocol::GridSubmitted>(SubmitEvent{make_grid("other", {1, 2}), {}});
  // What runs is not kept as running: nobody works on it there.
  auto worker = make_worker(2);
  worker.host = "secret.example.org";
  worker.environment = {{"libtorch", "2.11.0"},
                        {"ranks", {{{"host", "secret.example.org"}, {"device", "cpu"}}}},
                        {"device_reason", "machine secret.example.org has no GPU"},
                        {"settings", {{"REMIXER_WORKSPACE", "/home/secret"}}}};
  const auto registered = runner.ask<protocol::WorkerRegistered>(RegisterEvent{worker});
  const Assignment last = runner.claim(registered.worker_id);
  runner.ask<protocol::ResultReply>(ResultEvent{result_of(last)});
  runner.claim(registered.worker_id);
  const auto results = rows("SELECT * FROM results ORDER BY task_id");

  const fs::path first = folder.path / "first.db", both = folder.path / "both.db";
  EXPECT_EQ(write_compact(file, first, {1}).grids, 1);
  const CompactSummary summary = write_compact(file, both, {1, 2});
  EXPECT_EQ(summary.grids, 2);
  EXPECT_EQ(summary.cells, 2);
  EXPECT_EQ(summary.results, 2);
  EXPECT_EQ(fs::file_size(both), summary.bytes);
  EXPECT_THROW(write_compact(file, both, {1}), InputError);

  EXPECT_TRUE(is_export(both));
  EXPECT_FALSE(is_export(file));
  EXPECT_FALSE(is_export(folder.path / "none.db"));
  const fs::path original = file;
  for (const fs::path& copy : {first, both}) {
    file = copy;
    EXPECT_EQ(rows("SELECT * FROM results ORDER BY task_id"), results);
    EXPECT_EQ(rows("SELECT count(*) FROM metrics"), std::vector<std::string>{"4"});
    EXPECT_EQ(rows("SELECT count(*) FROM runs WHERE state <> 'done'"),
              std::vector<std::string>{"0"});
    EXPECT_EQ(rows("SELECT count(*) FROM task WHERE state = 'running'"),
              std::vector<std::string>{"0"});
    EXPECT_EQ(rows("PRAGMA foreign_key_check"), std::vector<std::string>{});
    EXPECT_EQ(read_file(file).find("secret"), std::string::npos);
    EXPECT_FALSE(fs::exists(file.string() + "-wal"));
  }
  EXPECT_EQ(rows("SELECT DISTINCT json_extract(environment, '$.libtorch'), "
                 "json_extract(environment, '$.ranks[0].host') FROM environments WHERE environment "
                 "LIKE '%libtorch%'"),
            std::vector<std::string>{"2.11.0|host-2"});
  file = first;
  EXPECT_EQ(rows("SELECT name FROM grid"), std::vector<std::string>{"g"});
  EXPECT_EQ(rows("SELECT count(*) FROM cell"), std::vector<std::string>{"1"});
  file = original;
  EXPECT_EQ(rows("SELECT count(*) FROM grid"), std::vector<std::string>{"2"});
}

// A study that ran in two workspaces becomes one.
TEST_F(CompactTest, TakesWhatIsMissingFromOthers) {
  const fs::path here = file;
  {
    Store store(here);
    Runner runner(store);
    runner.ask<protocol::GridSubmitted>(SubmitEvent{make_grid("whole", {1, 2}), {}});
    const std::string worker = runner.join(7);
    for (int i = 0; i < 2; ++i) {  // the data set and seed 1's training
      const Assignment assignment = runner.claim(worker);
      runner.ask<protocol::ResultReply>(ResultEvent{result_of(assignment)});
    }
  }
  const fs::path there = folder.path / "there.db", exported = folder.path / "exported.db";
  {
    Store store(there);
    fill(store);
  }
  write_compact(there, exported, {1});
  std::vector<std::string> results;
  for (const fs::path& other : {there, exported}) {
    const fs::path merged = folder.path / (other.stem().string() + "-merged.db");
    const CompactSummary summary = write_compact(here, merged, {1}, {other});
    EXPECT_EQ(summary.filled, 2) << "the evaluations; the rest is done here";
    EXPECT_EQ(summary.cells, 2);
    EXPECT_EQ(summary.results, 2);
    file = merged;
    EXPECT_EQ(rows("SELECT count(*) FROM task WHERE state = 'done'"),
              std::vector<std::string>{"4"});
    EXPECT_EQ(rows("SELECT kind FROM runs GROUP BY kind"),
              (std::vector<std::string>{"evaluate", "prepare", "train"}));
    // An export does not say which machine it was.
    EXPECT_EQ(rows("SELECT count(*), count(DISTINCT host) FROM worker"),
              std::vector<std::string>{other == there ? "2|1" : "2|2"});
    EXPECT_EQ(rows("PRAGMA foreign_key_check"), std::vector<std::string>{});
    EXPECT_EQ(rows("SELECT count(*) FROM metrics"), std::vector<std::string>{"2"});
    const auto found = rows("SELECT eval_set, metric, value, n FROM results ORDER BY eval_set");
    EXPECT_EQ(found,
              (std::vector<std::string>{"mixed_rand|top1|61.5|1000", "original|top1|61.5|1000"}));
  }
  const fs::path old = folder.path / "old.db";
  {
    SQLite::Database database(old.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    migrate(database, "old", 3);
  }
  EXPECT_THROW(write_compact(here, folder.path / "never.db", {1}, {old}), InputError);
  EXPECT_FALSE(fs::exists(folder.path / "never.db"));
}

}  // namespace
}  // namespace remixer::coordinator
