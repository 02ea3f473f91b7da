// SPDX-License-Identifier: Apache-2.0
// How tables are written, in every format: golden files of a study that has everything (ties, a
// missing baseline, one and three seeds, a depth that four does not divide, missing, running and
// failed cells). REMIXER_WRITE_GOLDEN=1 writes the files anew; look at what changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "reports/format.h"
#include "reports/html_figure.h"
#include "reports/report.h"
#include "tests/reports/study_database.h"

namespace remixer::reports {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kDeit = "deit_nano_patch4_32";
constexpr const char* kMixer = "mixer_nano_patch4_32";
constexpr const char* kConvMixer = "convmixer_nano_patch4_32";

class Forms : public ::testing::Test {
 protected:
  void SetUp() override {
    database_.begin_grid("study");
    database_.at(1.75e9);
    add_deit();
    add_mixer();
    add_convmixer();
    add_shifted();
    report_ = make_report(database_.file(), {.extras = Extras::kAll});
  }

  // Three seeds; with ConViT one.
  void add_deit() {
    for (int64_t seed = 0; seed < 3; ++seed) {
      const double s = static_cast<double>(seed);
      plain_ = database_.add_cell({.architecture = kDeit, .seed = seed});
      database_.add_challenge(plain_, {64.2 + s, 30, 35.5 - s, 70, 42 + 2 * s});
      const std::string better =
          database_.add_cell({.architecture = kDeit, .labeler = "relabel", .seed = seed}, "done",
                             {0.5, 0.125 + s / 100, 1, 0.25, 0.75, 0});
      database_.add_challenge(better, {68.4 + s, 28.1, 35.5, 74 + s / 10, 46 + 2 * s});
    }
    const std::string boxes =
        database_.add_cell({.architecture = kDeit, .labeler = "bbox_grabcut"}, "done", {1, 2, 3});
    database_.add_challenge(boxes, {71, 5, 60, 75});
    database_.add_evaluate_task(boxes, "mixed_rand", "running");
    database_.add_figure(boxes, "only_bg_t", 12.5);
    const std::string convit =
        database_.add_cell({.architecture = kDeit, .spatial_prior = "convit"});
    database_.add_challenge(convit, {65, 29, 36, 71, 44});
    database_.add_cell({.architecture = kDeit, .labeler = "relabel", .spatial_prior = "convit"},
                       "failed");
  }
  // Its plain model is not in the grid.
  void add_mixer() {
    for (const char* labeler : {"saliency", "relabel"}) {
      const std::string cell = database_.add_cell({.architecture = kMixer, .labeler = labeler},
                                                  "done", {0.1, 0.2, 0.3, 0.4});
      database_.add_challenge(cell, {60, 30, 40, 65, 40});
    }
  }
  // A tie, a loss, and a baseline that failed on one set.
  void add_convmixer() {
    const std::string plain = database_.add_cell({.architecture = kConvMixer});
    database_.add_challenge(plain, {66, 31, 37, 72});
    database_.add_evaluate_task(plain, "mixed_rand", "failed");
    const std::string better = database_.add_cell(
        {.architecture = kConvMixer, .labeler = "relabel"}, "done", {0, 2.347, 1.498, 0.001});
    database_.add_challenge(better, {66, 33.25, 44, 76, 52});
    const std::string full = database_.add_cell({.architecture = "convmixer_nano_patch4_32_full"});
    database_.add_challenge(full, {67, 30, 37, 76, 50});
  }
  void add_shifted() {
    const auto sketch = database_.import_dataset("drawings", "sketch_9", {{"val", 500}});
    database_.add_figure(plain_, {"drawings", "val", sketch}, 25.2, 500);
    const auto birds = database_.import_dataset("birds", "folder", {{"val", 500}});
    database_.add_figure(plain_, {"birds", "val", birds}, 77.7, 500);
  }

  void check(const std::string& file, const std::string& text) {
    const fs::path path = fs::path(REMIXER_GOLDEN) / file;
    if (std::getenv("REMIXER_WRITE_GOLDEN")) write_file_atomic(path, text);
    ASSERT_TRUE(fs::exists(path)) << "write it with REMIXER_WRITE_GOLDEN=1";
    EXPECT_EQ(text, read_file(path)) << file;
  }
  std::vector<const Table*> all() const {
    std::vector<const Table*> tables;
    for (const Table& table : report_.tables) tables.push_back(&table);
    return tables;
  }
  StudyDatabase database_;
  std::string plain_;
  Report report_;
};

TEST_F(Forms, Terminal) {
  std::string text;
  for (const Table& table : report_.tables) text += table_text(table, false) + "\n";
  check("study.txt", text);
}

TEST_F(Forms, Markdown) {
  check("study.md", to_markdown(report_));
}

TEST_F(Forms, Csv) {
  std::string text = csv_header();
  for (const Table& table : report_.tables) text += to_csv(table).substr(csv_header().size());
  check("study.csv", text);
}

TEST_F(Forms, Json) {
  const std::string text = to_json(all());
  check("study.json", text);
  EXPECT_TRUE(Json::parse(text).is_array());
}

TEST_F(Forms, Latex) {
  check("study.tex", latex_document(all()));
}

TEST_F(Forms, Html) {
  const std::string html = to_html(report_);
  check("study.html", html);
  for (const char* outside : {"http:", "https:", "src=", "@import", "url(", "<script"}) {
    EXPECT_THAT(html, Not(HasSubstr(outside)));
  }
}

TEST_F(Forms, ColourAddsEscapesAndNothingElse) {
  const Table* table = nullptr;
  for (const Table& each : report_.tables) {
    if (each.id == "7") table = &each;
  }
  ASSERT_TRUE(table);
  std::string text = table_text(*table, true);
  EXPECT_THAT(text, HasSubstr("\x1b[1m"));
  for (size_t at; (at = text.find('\x1b')) != std::string::npos;) {
    text.erase(at, text.find('m', at) - at + 1);
  }
  EXPECT_THAT(text, Not(HasSubstr("*")));
  EXPECT_THAT(text, HasSubstr(kNoiseMark));  // noise is not said by colour alone
}

TEST_F(Forms, NamesCannotActAsMarkup) {
  const std::string evil = "<img src=x onerror=alert(1)>\"'|*";
  report_.grid = evil;
  report_.left_out = {evil};
  report_.kappas[0].model = evil;
  report_.tables[0].rows[0].model = evil;
  report_.tables[0].rows[1].labels = evil;
  report_.tables[0].title = evil;
  report_.tables[0].notes.push_back(evil);
  EXPECT_THAT(to_html(report_), Not(HasSubstr("<img")));
  EXPECT_THAT(to_html(report_), Not(HasSubstr("(1)>\"'")));
  EXPECT_THAT(to_markdown(report_), Not(HasSubstr("<img src=x onerror=alert(1)>")));
  EXPECT_THAT(to_markdown(report_), HasSubstr("\\<img src=x onerror=alert(1)\\>\"'\\|\\*"));
  EXPECT_THAT(to_csv(report_.tables[0]), HasSubstr("\"<img src=x onerror=alert(1)>\"\"'|*\""));
  report_.tables[0].rows[0].model = "50 % of $x_1$ & \\input{y} ~#^";
  EXPECT_THAT(to_latex(report_.tables[0]),
              HasSubstr("50 \\% of \\$x\\_1\\$ \\& \\textbackslash{}input\\{y\\} "
                        "\\textasciitilde{}\\#\\textasciicircum{}"));
}

TEST_F(Forms, EveryFileIsWritten) {
  const fs::path folder = database_.folder() / "reports" / "study";
  write_report(report_, folder);
  for (const char* name : {"table1.md", "table1.csv", "table1.tex", "results.md", "report.csv",
                           "report.json", "report.tex", "report.md"}) {
    EXPECT_TRUE(fs::exists(folder / name)) << name;
  }
  EXPECT_EQ(read_file(folder / "index.html"), to_html(report_));
}

TEST(Format, NumbersAndSigns) {
  EXPECT_EQ(number_text(68.404), "68.40");
  EXPECT_EQ(number_text(-3.2), "−3.20");
  EXPECT_EQ(number_text(59.185), "59.19");
  EXPECT_EQ(number_text(0.2875, 3), "0.288");
  EXPECT_EQ(signed_text(4.2), "+4.20");
  EXPECT_EQ(signed_text(-5.5), "−5.50");
  EXPECT_EQ(signed_text(-0.001), "+0.00");
}

}  // namespace
}  // namespace remixer::reports
