// SPDX-License-Identifier: Apache-2.0
// The tables as LaTeX compile as they are, with all that names can hold.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "reports/report.h"
#include "tests/reports/study_database.h"

namespace remixer::reports {
namespace {

// What pdflatex says of a document; empty where all is well.
std::string compile(const fs::path& folder, const std::string& name, const std::string& text) {
  write_file_atomic(folder / (name + ".tex"), text);
  const std::string command = "cd '" + folder.string() + "' && pdflatex -interaction=nonstopmode " +
                              "-halt-on-error " + name + ".tex > " + name + ".out 2>&1";
  if (std::system(command.c_str()) == 0) return "";
  return read_file(folder / (name + ".out"));
}

class Latex : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("pdflatex --version > /dev/null 2>&1") != 0) {
      GTEST_SKIP() << "no pdflatex; ./setup --tests brings it";
    }
  }
  StudyDatabase database_;
};

TEST_F(Latex, TheGoldenDocumentCompiles) {
  const std::string text = read_file(fs::path(REMIXER_GOLDEN) / "study.tex");
  EXPECT_EQ(compile(database_.folder(), "study", text), "");
}

TEST_F(Latex, NamesOfEveryKindCompile) {
  database_.begin_grid("50%_of #1 & {all} ~^\\ \"x\" <y>");
  const std::string plain = database_.add_cell({.recipe = "a_b%c#d&e{f}g~h^i\\j$k\"l<m>n|o"});
  database_.add_figure(plain, {"é_ü/ß–€"}, 50);
  database_.add_figure(plain, "original", 50);
  const Report report = make_report(database_.file(), {.extras = Extras::kAll});
  std::vector<const Table*> tables;
  for (const Table& table : report.tables) tables.push_back(&table);
  EXPECT_EQ(compile(database_.folder(), "names", latex_document(tables)), "");
}

}  // namespace
}  // namespace remixer::reports
