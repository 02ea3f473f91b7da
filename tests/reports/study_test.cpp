// What is read from a database, and what is refused.
#include "reports/study.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "base/error.h"
#include "reports/report.h"
#include "tests/reports/study_database.h"

namespace remixer::reports {
namespace {

using ::testing::HasSubstr;

std::string input_error(const std::filesystem::path& database, const std::string& grid) {
  try {
    read_study(database, grid);
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
  EXPECT_EQ(read_study(database.file(), "").grid, "second");
  const Study first = read_study(database.file(), "first");
  EXPECT_EQ(first.grid_id, 1);
  ASSERT_EQ(first.cells.size(), 1u);
  EXPECT_EQ(first.cells[0].labeler, "none");
}

TEST(Study, WrongInputIsNamed) {
  StudyDatabase database;
  EXPECT_THAT(input_error(database.file(), ""), HasSubstr("no grid has been submitted yet"));
  database.begin_grid("quickstart");
  database.add_cell({});
  EXPECT_THAT(input_error(database.file(), "quick"), HasSubstr("there are: quickstart"));
  EXPECT_THAT(input_error(database.folder() / "none.db", ""),
              HasSubstr("none.db: no such database"));
  std::ofstream(database.folder() / "text.db") << std::string(4096, 'x');
  EXPECT_THAT(input_error(database.folder() / "text.db", ""), HasSubstr("not a database"));
  SQLite::Database(database.folder() / "other.db", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec("CREATE TABLE songs (name)");
  EXPECT_THAT(input_error(database.folder() / "other.db", ""), HasSubstr("not a database of this"));
}

TEST(Study, AFigureThatCannotBeIsRefused) {
  StudyDatabase database;
  database.begin_grid("grid");
  const std::string cell = database.add_cell({});
  database.add_figure(cell, "original", 120);
  EXPECT_THAT(input_error(database.file(), ""), HasSubstr("on original is 120 %"));
}

TEST(Study, ReadsBesideAWriterAndOddPathsWithoutChangingAnything) {
  StudyDatabase database;
  database.begin_grid("grid");
  database.add_cell({});
  SQLite::Transaction writing(database.connection());
  database.add_cell({.labeler = "relabel"});
  EXPECT_EQ(read_study(database.file(), "").cells.size(), 1u);  // not what is uncommitted
  writing.commit();
  EXPECT_EQ(read_study(database.file(), "").cells.size(), 2u);
  const auto odd = database.folder() / "a ?b#c%20.db";
  database.connection().exec("VACUUM INTO '" + odd.string() + "'");
  EXPECT_EQ(read_study(odd, "").cells.size(), 2u);
}

TEST(Study, KappaIsTheLastValueOfTheDoneAttempt) {
  StudyDatabase database;
  database.begin_grid("grid");
  const std::string cell = database.add_cell({.labeler = "relabel"});
  database.add_training(cell, 1, "released", "2026-11-23T10:00:00Z", "2026-11-23T10:01:00Z",
                        {9, 9});
  database.add_training(cell, 2, "done", "2026-11-23T10:01:00Z", "2026-11-23T10:02:30Z",
                        {0.5, 0.25, 0});
  database.connection().exec("UPDATE metrics SET value = NULL WHERE name = 'kappa.1'");
  const Study study = read_study(database.file(), "");
  ASSERT_EQ(study.kappa.at(cell).size(), 3u);
  EXPECT_DOUBLE_EQ(study.kappa.at(cell)[0], 0.5);
  EXPECT_TRUE(std::isnan(study.kappa.at(cell)[1]));
  EXPECT_NEAR(study.train_seconds, 150, 1e-3);
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

}  // namespace
}  // namespace remixer::reports
