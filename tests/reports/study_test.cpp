// SPDX-License-Identifier: Apache-2.0
// What is read from a database, and what is refused.
#include "reports/study.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "coordinator/store/schema.h"
#include "reports/report.h"
#include "tests/reports/study_database.h"

namespace remixer::reports {
namespace {

using ::testing::HasSubstr;

Study read(const StudyDatabase& database, const std::vector<std::string>& grids = {}) {
  return read_study(database.file(), grids, database.folder());
}

std::string input_error(const std::filesystem::path& database, const std::string& grid) {
  try {
    read_study(database, grid.empty() ? std::vector<std::string>{} : std::vector{grid}, "");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Study, TheNewestGridIsTakenUnlessOneIsNamed) {
  StudyDatabase database;
  database.begin_grid("first");
  database.add_cell({});
  database.begin_grid("second");
  database.add_cell({.labeler = "relabel"});
  EXPECT_EQ(read(database).grids, std::vector<std::string>{"second"});
  const Study first = read(database, {"first"});
  EXPECT_EQ(first.grid_ids, std::vector<int64_t>{1});
  ASSERT_EQ(first.cells.size(), 1u);
  EXPECT_EQ(first.cells[0].labeler, "none");
  // By a submit's number as well: an older one of the same name.
  database.begin_grid("first");
  database.add_cell({.labeler = "saliency"});
  EXPECT_EQ(read(database, {"first"}).grid_ids, std::vector<int64_t>{3});
  EXPECT_EQ(read(database, {"1"}).cells[0].labeler, "none");
}

TEST(Study, WrongInputIsNamed) {
  StudyDatabase database;
  EXPECT_THAT(input_error(database.file(), ""), HasSubstr("no grid has been submitted yet"));
  database.begin_grid("quickstart");
  database.add_cell({});
  EXPECT_THAT(input_error(database.file(), "quick"), HasSubstr("did you mean 'quickstart'?"));
  EXPECT_THAT(input_error(database.folder() / "none.db", ""),
              HasSubstr("none.db: no such database"));
  std::ofstream(database.folder() / "text.db") << std::string(4096, 'x');
  EXPECT_THAT(input_error(database.folder() / "text.db", ""), HasSubstr("not a database"));
  SQLite::Database(database.folder() / "other.db", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec("CREATE TABLE songs (name)");
  EXPECT_THAT(input_error(database.folder() / "other.db", ""), HasSubstr("not a database of this"));
}

TEST(Study, AnotherSchemaIsRefusedByName) {
  StudyDatabase database;
  database.begin_grid("grid");
  database.connection().exec("PRAGMA user_version = 99");
  EXPECT_THAT(input_error(database.file(), ""), HasSubstr("newer version (schema 99"));
  database.connection().exec("PRAGMA user_version = 2");
  EXPECT_THAT(input_error(database.file(), ""), HasSubstr("older version (schema 2"));
}

// The tables that are read are not promised to stay: whoever raises the schema looks at study.cpp.
TEST(Study, TheDaemonsSchemaIsUnderstood) {
  EXPECT_LE(kOldestSchema, coordinator::kSchemaVersion);
  EXPECT_EQ(kNewestSchema, coordinator::kSchemaVersion);
}

TEST(Study, AFigureThatCannotBeIsRefused) {
  StudyDatabase database;
  database.begin_grid("grid");
  database.add_figure(database.add_cell({}), "original", 120);
  EXPECT_THAT(input_error(database.file(), ""), HasSubstr("on original is 120 %"));
}

TEST(Study, ReadsBesideAWriterAndOddPathsWithoutChangingAnything) {
  StudyDatabase database;
  database.begin_grid("grid");
  database.add_cell({});
  SQLite::Transaction writing(database.connection());
  database.add_cell({.labeler = "relabel"});
  EXPECT_EQ(read(database).cells.size(), 1u);  // not what is uncommitted
  writing.commit();
  EXPECT_EQ(read(database).cells.size(), 2u);
  const auto odd = database.folder() / "a ?b#c%20.db";
  database.connection().exec("VACUUM INTO '" + odd.string() + "'");
  EXPECT_EQ(read_study(odd, {}, "").cells.size(), 2u);
}

TEST(Study, KappaIsWhatTheDoneTrainingLeft) {
  StudyDatabase database;
  database.begin_grid("grid");
  database.add_cell({.labeler = "relabel"}, "done", {0.5, 0.25, 0});
  database.add_cell({.labeler = "saliency"}, "running", {9});
  const Study study = read(database);
  EXPECT_EQ(study.cells[0].kappa, (std::vector<double>{0.5, 0.25, 0}));
  EXPECT_TRUE(study.cells[1].kappa.empty());
}

TEST(Study, FactsCountTheGridsCellsAndImages) {
  StudyDatabase database;
  database.begin_grid("other");
  database.add_challenge(database.add_cell({.seed = 7}), {50, 50, 50, 50, 50});
  database.begin_grid("grid");
  const std::string cell = database.add_cell({});
  database.add_cell({.labeler = "relabel"}, "running");
  database.add_figure(cell, "original", 60, 1000);
  database.add_figure(cell, "mixed_rand", 60, 900);
  const RunFacts facts = make_report(database.file()).facts;
  EXPECT_EQ(facts.cells, 2);
  EXPECT_EQ(facts.cells_trained, 1);
  EXPECT_EQ(facts.figures, 2);
  EXPECT_EQ(facts.images_evaluated, 1900);
}

TEST(Study, AReportIsMadeAtTheTimeOfItsNewestResult) {
  StudyDatabase database;
  database.begin_grid("grid");
  const std::string cell = database.add_cell({});
  database.at(1.75e9);
  database.add_figure(cell, "original", 60);
  const Report first = make_report(database.file()), second = make_report(database.file());
  EXPECT_EQ(first.made_at, "2025-06-15T15:06:40Z");
  EXPECT_EQ(to_html(first), to_html(second));
}

// A grid search's worth of results.
TEST(Study, AReportOfTenThousandRunsIsQuick) {
  StudyDatabase database;
  database.begin_grid("grid");
  {
    SQLite::Transaction one(database.connection());
    for (int64_t i = 0; i < 1250; ++i) {
      const std::string cell = database.add_cell(
          {.labeler = i % 2 ? "relabel" : "none", .seed = i / 2}, "done", {1, 2, 3, 4});
      for (const char* set : {"original", "only_bg_b", "only_bg_t", "only_fg", "mixed_same",
                              "mixed_rand", "mixed_next"}) {
        database.add_figure(cell, set, 40 + static_cast<double>(i % 17));
      }
    }
    one.commit();
  }
  const auto start = std::chrono::steady_clock::now();
  const Report report = make_report(database.file());
  std::string text = to_html(report);
  for (const Table& table : report.tables) text += table_text(table, false) + to_csv(table);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  printf("a report of 10,000 runs: %.2f s\n", seconds);
  EXPECT_LT(seconds, 3);
}

}  // namespace
}  // namespace remixer::reports
