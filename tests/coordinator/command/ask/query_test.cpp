// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <SQLiteCpp/SQLiteCpp.h>

#include "base/error.h"
#include "coordinator/command/ask/query_database.h"

namespace remixer::coordinator::command {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// What a call throws, or "".
template <typename Call>
std::string input_error(Call call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// Tables that stand for the documented views, filled by hand.
class Query : public ::testing::Test {
 protected:
  Query() {
    fs::remove(file_);
    SQLite::Database database(file_.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec(R"sql(
      CREATE TABLE results (cell_id, task_id, architecture, spatial_prior, labeler, train_set,
        recipe, seed INTEGER, weights, eval_set, metric, value REAL, n INTEGER);
      INSERT INTO results VALUES
        ('c1','t2','deit','none','none','fashion','quick',0,'raw','original','top1',64.25,1000),
        ('c1','t3','deit','none','none','fashion','quick',0,'raw','mixed_rand','top1',41.5,1000),
        ('c2','t5','mixer','none','saliency','fashion','quick',0,'raw','original','top1',70.5,1000);
      CREATE TABLE cells (cell_id, architecture, spatial_prior, labeler, train_set, recipe,
        seed INTEGER, precision, identity);
      INSERT INTO cells VALUES ('c1','deit','none','none','fashion','quick',0,'fp32','{}'),
        ('c2','mixer','none','saliency','fashion','quick',0,'fp32','{}');
      CREATE TABLE grid_cells (grid_id INTEGER, grid, position INTEGER, cell_id);
      INSERT INTO grid_cells VALUES (1,'quick',0,'c1'), (1,'quick',1,'c2'), (2,'other',0,'c1');
      CREATE TABLE grid_tasks (grid_id INTEGER, position INTEGER, task_id, kind, cell_id, title, state);
      INSERT INTO grid_tasks VALUES (1,0,'t0','prepare',NULL,'prepare fashion','done'),
        (1,1,'t1','train','c1','train deit','done'), (1,2,'t2','evaluate','c1','original','done'),
        (1,3,'t3','evaluate','c1','mixed','done'), (1,4,'t4','train','c2','train mixer','failed'),
        (1,5,'t5','evaluate','c2','original','blocked'), (2,0,'t1','train','c1','train deit','done');
      CREATE TABLE runs (task_id, cell_id, kind, attempt INTEGER, state, worker, started_at, ended_at,
        reason);
      INSERT INTO runs VALUES ('t1','c1','train',1,'done','h:1','2026-01-01T00:00:00Z',
          '2026-01-01T00:01:00Z',NULL),
        ('t4','c2','train',1,'failed','h:1','2026-01-01T00:01:00Z','2026-01-01T00:02:00Z','first'),
        ('t4','c2','train',2,'failed','h:1','2026-01-01T00:03:00Z','2026-01-01T00:04:00Z','NaN loss');
    )sql");
  }
  ~Query() override { fs::remove(file_); }

  Table ask(const std::string& sql) { return query_database(file_, sql); }

  fs::path file_ =
      fs::path(::testing::TempDir()) / ("query_test_" + std::to_string(::getpid()) + ".db");
};

TEST_F(Query, KeepsTypesAndOrder) {
  EXPECT_EQ(ask("SELECT labeler, value, n, NULL AS absent FROM results ORDER BY value").csv(),
            "labeler,value,n,absent\nnone,41.5,1000,\nnone,64.25,1000,\nsaliency,70.5,1000,\n");
}

TEST_F(Query, FiltersAsPeopleWriteThem) {
  const auto rows = [&](const std::vector<std::string>& words) {
    ResultFilter filter;
    for (const std::string& word : words) EXPECT_TRUE(add_filter(filter, word)) << word;
    std::vector<std::string> values;
    const std::string sql = filter_sql(filter, values);
    return query_database(file_, sql, values).rows();
  };
  EXPECT_EQ(rows({}), 3u);
  EXPECT_EQ(rows({"architecture=deit"}), 2u);
  EXPECT_EQ(rows({"architecture=deit,mixer", "eval_set=original"}), 2u);
  EXPECT_EQ(rows({"seed=0", "recipe=quick", "labeler=saliency"}), 1u);
  EXPECT_EQ(rows({"seed=1"}), 0u);
  EXPECT_EQ(rows({"grid=other"}), 2u);
  ResultFilter filter;
  EXPECT_FALSE(add_filter(filter, "SELECT 1 WHERE 1 = 1"));
  EXPECT_FALSE(add_filter(filter, "SELECT"));
  const std::string message = input_error([&] { add_filter(filter, "labelr=none"); });
  EXPECT_THAT(message, HasSubstr("labelr"));
  EXPECT_THAT(message, HasSubstr("labeler"));
}

TEST_F(Query, AFilterThatNoRowCanMeetNamesWhatThereIs) {
  const auto refused = [&](const ResultFilter& filter) {
    return input_error([&] { check_filter(file_, filter); });
  };
  EXPECT_THAT(refused({.labeler = {"salincy"}}), HasSubstr("did you mean 'saliency'?"));
  EXPECT_THAT(refused({.seed = {"abc"}}), HasSubstr("no seed is 'abc'; there are 0"));
  EXPECT_THAT(refused({.eval_set = {"val"}}), HasSubstr("mixed_rand, original"));
  EXPECT_THAT(refused({.grid = "quik"}), HasSubstr("'quick'"));
  EXPECT_EQ(refused({.architecture = {"deit"}, .eval_set = {"original"}}), "");
  // A cell that has no figures yet is known.
  SQLite::Database(file_.string(), SQLite::OPEN_READWRITE)
      .exec("INSERT INTO cells VALUES ('c3','conv','none','none','fashion','quick',7,'fp32','{}')");
  EXPECT_EQ(refused({.architecture = {"conv"}, .seed = {"7"}}), "");
}

TEST_F(Query, AnAnswerHasLimits) {
  const std::string endless =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT ";
  const auto refused = [&](const std::string& sql, const QueryLimits& limits) {
    return input_error([&] { query_database(file_, sql, {}, limits); });
  };
  EXPECT_THAT(refused(endless + "i FROM n", {.rows = 1000}), HasSubstr("more than 1000 rows"));
  EXPECT_THAT(refused(endless + "max(i) FROM n", {.seconds = 0.2}), HasSubstr("--timeout"));
  EXPECT_THAT(refused(endless + "zeroblob(100000) FROM n", {.bytes = 10 << 20}),
              HasSubstr("larger than 10 MiB"));
  // SQLite notes that memory is short, and goes on to the last row before it says so.
  EXPECT_THAT(
      refused("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000000) "
              "SELECT group_concat(i) FROM n",
              {.bytes = 10 << 20}),
      HasSubstr("more than 10 MiB of memory"));
  EXPECT_EQ(ask("SELECT * FROM results").rows(), 3u);
}

// As a read-only medium or another user's folder is; root may write everywhere, so as nobody.
TEST_F(Query, AFinishedDatabaseIsReadWithoutWriting) {
  const fs::path folder = fs::path(::testing::TempDir()) / fmt::format("read-only-{}", ::getpid());
  fs::create_directories(folder);
  const fs::path copy = folder / "remixer.db";
  fs::copy_file(file_, copy);
  SQLite::Database(copy.string(), SQLite::OPEN_READWRITE).exec("PRAGMA journal_mode = WAL");
  ASSERT_FALSE(fs::exists(copy.string() + "-wal"));
  fs::permissions(copy, fs::perms(0444));
  fs::permissions(folder, fs::perms(0555));
  const uid_t user = ::geteuid();
  if (user == 0) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  EXPECT_EQ(query_database(copy, "SELECT * FROM results").rows(), 3u);
  if (user == 0) {
    ASSERT_EQ(::seteuid(user), 0);
  }
  fs::permissions(folder, fs::perms::owner_all);
  fs::remove_all(folder);
}

TEST_F(Query, TakesWithAndATrailingSemicolonAndComment) {
  EXPECT_EQ(ask("WITH a AS (SELECT 1 AS x) SELECT x FROM a; -- done").rows(), 1u);
}

TEST_F(Query, RefusesWhatIsNotOneSelect) {
  for (const char* sql :
       {"DELETE FROM results", "INSERT INTO results(n) VALUES (1)", "DROP TABLE results",
        "ATTACH 'x.db' AS x", "PRAGMA journal_mode=DELETE", "CREATE TABLE a(b)", "VACUUM", "BEGIN",
        "SELECT 1; SELECT 2", "SELECT 1; DELETE FROM results", "", "  -- nothing",
        "SELECT load_extension('x')", "SELEKT 1", "SELECT * FROM no_such_view"}) {
    EXPECT_NE(input_error([&] { ask(sql); }), "") << sql;
  }
  EXPECT_EQ(ask("SELECT * FROM results").rows(), 3u);
}

TEST_F(Query, NamesTheMistake) {
  EXPECT_THAT(input_error([&] { ask("SELECT valu FROM results"); }), HasSubstr("valu"));
  EXPECT_THAT(input_error([&] { ask("DELETE FROM results"); }), HasSubstr("only SELECT"));
  EXPECT_THAT(input_error([&] { query_database("/nonexistent/remixer.db", "SELECT 1"); }),
              HasSubstr("/nonexistent/remixer.db"));
}

TEST_F(Query, FiltersResults) {
  const auto rows = [&](const ResultFilter& filter) {
    std::vector<std::string> values;
    const std::string sql = filter_sql(filter, values);
    return query_database(file_, sql, values).rows();
  };
  EXPECT_EQ(rows({}), 3u);
  EXPECT_EQ(rows({.labeler = {"none"}}), 2u);
  EXPECT_EQ(rows({.labeler = {"none", "saliency"}, .eval_set = {"original"}}), 2u);
  EXPECT_EQ(rows({.architecture = {"x' OR 1=1 --"}}), 0u);
  EXPECT_EQ(rows({.grid = "other"}), 2u);
  EXPECT_EQ(rows({.eval_set = {"original"}, .grid = "other"}), 1u);
}

}  // namespace
}  // namespace remixer::coordinator::command
