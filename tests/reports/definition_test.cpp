// SPDX-License-Identifier: Apache-2.0
// A user's own table: what is read, what is refused, and what it gives.
#include "reports/definitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "reports/report.h"
#include "tests/reports/study_database.h"

namespace remixer::reports {
namespace {

using ::testing::HasSubstr;

const std::string kOwn = R"toml(id = "mine"
title = "Backgrounds"
bold = "column"
[[columns]]
id = "rand"
set = "mixed_rand"
better = "higher"
[[columns]]
id = "gap"
heading = "Gap"
set = "mixed_same"
minus = "mixed_rand"
better = "lower"
[[blocks]]
name = "DeiT"
[[blocks.rows]]
family = "deit"
remixer = false
[[blocks.rows]]
name = "with labels"
family = "deit"
remixer = true
)toml";

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = kOwn;
  text.replace(text.find(from), from.size(), to);
  return text;
}

std::string error_of(const std::string& text) {
  try {
    parse_table_definition(text, "mine.toml");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Definition, ThePapersSevenAreThere) {
  std::string ids;
  for (const TableDefinition& table : table_definitions()) {
    ids += table.id;
    EXPECT_TRUE(table.numbered);
    EXPECT_FALSE(table.caption.empty()) << table.id;
  }
  EXPECT_EQ(ids, "1234567");
}

TEST(Definition, WhatIsWrongIsNamedWithFileAndLine) {
  EXPECT_EQ(error_of(kOwn), "no error");
  EXPECT_THAT(error_of("id = \"x\"\ntitle"), HasSubstr("mine.toml:2:"));
  EXPECT_EQ(error_of(replaced("bold", "blod")),
            "mine.toml:3: a table: unknown key 'blod'; did you mean 'bold'?");
  EXPECT_EQ(error_of(replaced("\"column\"", "\"row\"")).substr(0, 37),
            "mine.toml:3: unknown bold 'row'; know");
  EXPECT_EQ(error_of(replaced("family = \"deit\"", "family = \"diet\"")),
            "mine.toml:17: unknown family 'diet'; did you mean 'deit'?");
  EXPECT_THAT(error_of(replaced("set = \"mixed_rand\"", "data = [\"scetch_9\"]")),
              HasSubstr("mine.toml:6: unknown data 'scetch_9'; did you mean 'sketch_9'?"));
  EXPECT_THAT(error_of(replaced("id = \"gap\"", "id = \"rand\"")),
              HasSubstr("column 'rand' is there twice"));
  EXPECT_THAT(error_of(replaced("set = \"mixed_rand\"\n", "")),
              HasSubstr("mine.toml:4: column 'rand' needs a set or data"));
  EXPECT_THAT(error_of(replaced("heading = \"Gap\"", "gain_over = \"rnd\"")),
              HasSubstr("gain_over: unknown column 'rnd'; did you mean 'rand'?"));
  EXPECT_THAT(error_of(replaced("name = \"with labels\"", "gain_over = \"plain\"")),
              HasSubstr("gain_over: unknown row 'plain'"));
  EXPECT_THAT(error_of(replaced("name = \"with labels\"", "labels = \"boxs\"")),
              HasSubstr("unknown labels 'boxs'; did you mean 'boxes'?"));
  EXPECT_THAT(error_of(replaced("remixer = false", "remixer = 1")),
              HasSubstr("remixer must be true or false"));
  EXPECT_THAT(error_of("id = \"a b\"\ntitle = \"t\"\n"), HasSubstr("names files"));
  EXPECT_THAT(error_of("id = \"a\"\ntitle = \"t\"\n"), HasSubstr("needs [[columns]]"));
  EXPECT_THROW(read_table_definition("/nowhere/mine.toml"), InputError);
}

class OwnTable : public ::testing::Test {
 protected:
  void SetUp() override {
    database_.begin_grid("grid");
    database_.add_challenge(database_.add_cell({}), {60, 30, 30, 70, 40});
    database_.add_challenge(database_.add_cell({.labeler = "relabel"}), {60, 30, 30, 70, 50});
  }
  Report make(const std::string& text) {
    return make_report(database_.file(), {.own = parse_table_definition(text, "mine.toml")});
  }
  std::string make_error(const std::string& text) {
    try {
      make(text);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }
  StudyDatabase database_;
};

TEST_F(OwnTable, IsFilledFromAnyGrid) {
  const Report report = make(kOwn);
  ASSERT_EQ(report.tables.size(), 1u);
  const Table& table = report.tables[0];
  EXPECT_EQ(table.name, "mine");
  EXPECT_EQ(table.title, "Backgrounds");
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[1].model, "with labels");
  EXPECT_FALSE(table.rows[1].ours);
  EXPECT_TRUE(table.rows[1].figures[1].best);
  EXPECT_NEAR(table.rows[1].figures[1].gain->value, -10, 1e-9);
}

TEST_F(OwnTable, ASetThatNothingIsEvaluatedOnIsASlip) {
  EXPECT_EQ(make_error(replaced("set = \"mixed_rand\"", "set = \"mixd_rand\"")),
            "mine.toml:4: column 'rand': unknown evaluation set 'mixd_rand'; did you mean "
            "'mixed_rand'?");
  EXPECT_THAT(make_error(replaced("minus = \"mixed_rand\"", "minus = \"mixed_next\"")),
              HasSubstr("mine.toml:8: column 'gap': unknown evaluation set 'mixed_next'"));
}

TEST_F(OwnTable, RowsThatFindNoModelAreSaid) {
  std::string text = kOwn;
  for (size_t at; (at = text.find("\"deit\"")) != std::string::npos;) {
    text.replace(at, 6, "\"mixer\"");
  }
  EXPECT_THAT(make_error(text), HasSubstr("table 'mine' is empty"));
}

}  // namespace
}  // namespace remixer::reports
