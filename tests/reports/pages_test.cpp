// SPDX-License-Identifier: Apache-2.0
// What pages and files show beside the tables: the runs of each number, plots, Table 4.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "base/file.h"
#include "base/saliency_file.h"
#include "reports/report.h"
#include "reports/report_plots.h"
#include "reports/shown_report.h"
#include "tests/reports/study_database.h"

namespace remixer::reports {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class PagesTest : public ::testing::Test {
 protected:
  PagesTest() {
    database_.begin_grid("grid");
    plain_ = database_.add_cell({});
    masked_ = database_.add_cell({.labeler = "bbox_grabcut"}, "done", {0.5, 0.25, 0.125, 1});
    database_.add_challenge(plain_, {60, 30, 50, 55, 40});
    database_.add_challenge(masked_, {66, 20, 56, 62, 52});
    database_.connection().exec(
        "INSERT INTO worker (id, name, host, pid, ranks, device, boot_id, version, environment, "
        "gone) VALUES ('w', 'w', 'node<7>', 1, 1, 'cuda', 'b', 'abc1234', '{}', 0)");
    add_attempt("train " + plain_, 70, "failed");
    add_attempt("train " + plain_, 71, "done");
    add_attempt("train " + masked_, 72, "done");
    add_attempt("evaluate original " + plain_, 73, "done");
    // Step 20 was trained twice; the later attempt counts.
    database_.connection().exec(
        "INSERT INTO metric VALUES (70, 'loss', 10, 1, 2.5), (70, 'loss', 20, 2, 9), "
        "(71, 'loss', 20, 2, 2), (71, 'loss', 30, 3, 1.5)");
  }

  void add_attempt(const std::string& task, int fence, const std::string& state) {
    database_.connection().exec(fmt::format(
        "INSERT INTO attempt SELECT {0}, number, {0}, 'w', '{1}', 1.6e9, 1.6e9 + 60, '', 1, 1, '', "
        "1 FROM task WHERE id = '{2}'",
        fence, state, task));
  }

  // A done saliency task of the cell, with its maps.
  void add_saliency(const std::string& cell, bool labels) {
    const std::string file = "runs/saliency " + cell + "/saliency.safetensors";
    SQLite::Statement insert(
        database_.connection(),
        "INSERT INTO task (id, kind, cell, title, spec, state, place, result, settled) SELECT "
        "'saliency ' || ?1, 'saliency', number, '', ?2, 'done', 900, ?3, 1.7e9 FROM cell WHERE id "
        "= ?1");
    insert.bind(1, cell);
    insert.bind(2, R"({"kind": "saliency", "eval_set": "original", "images": ["a"]})");
    insert.bind(3, Json{{"saliency", file}}.dump());
    insert.exec();
    SaliencyFile maps;
    maps.samples = {"a"};
    maps.classes = {"coat & tie"};
    maps.answers = {labels ? "coat & tie" : "bag"};
    maps.right = {1};
    maps.method = "chefer";
    maps.explained = "label";
    maps.eval_set = "original";
    maps.side = 4;
    maps.grid = 1;
    maps.images.assign(48, 9);
    maps.maps = {1};
    if (labels) maps.patch_values = {0.5};
    write_saliency(database_.folder() / file, maps);
  }

  Report report(const fs::path& tools = {}) {
    return make_report(database_.file(), {.details = true, .tools = tools});
  }

  // A program in the place of remixer-tools, which writes its arguments as the picture.
  fs::path tools(const std::string& script) {
    const fs::path path = database_.folder() / "tools";
    write_file_atomic(path, "#!/bin/sh\n" + script, 0755);
    return path;
  }

  StudyDatabase database_;
  std::string plain_, masked_;
};

TEST_F(PagesTest, EveryNumberLeadsToItsRuns) {
  const std::string html = to_html(report());
  std::set<std::string> ids;
  const std::regex id("id=\"(cell-[0-9a-f]+)\""), link(
                                                      "<td[^>]*>(<b>)?<a class=\"value\" "
                                                      "href=\"#([^\"]+)\">");
  for (std::sregex_iterator i(html.begin(), html.end(), id), end; i != end; ++i)
    ids.insert((*i)[1]);
  EXPECT_EQ(ids.size(), 2u);
  int links = 0;
  for (std::sregex_iterator i(html.begin(), html.end(), link), end; i != end; ++i, ++links)
    EXPECT_TRUE(ids.contains((*i)[2])) << (*i)[2];
  EXPECT_GE(links, 2 * 6 + 4) << "tables 1 and 3";
  EXPECT_THAT(html, HasSubstr("abc1234"));
  EXPECT_THAT(html, HasSubstr("node&lt;7&gt;"));
  EXPECT_THAT(html, HasSubstr("model.safetensors"));
  EXPECT_THAT(html, HasSubstr("(not kept)"));
  EXPECT_THAT(html, HasSubstr("&quot;architecture&quot;: &quot;deit_nano_patch4_32&quot;"));
}

// The dashboard shows what the other forms print, text for text, and leads to the runs.
TEST_F(PagesTest, TheDashboardsTablesAreTheReports) {
  const Report made = report();
  const Json shown = shown_report(made);
  ASSERT_EQ(shown.at("tables").size(), made.tables.size());
  const Json& table = shown.at("tables")[0];
  EXPECT_EQ(table.at("title"), made.tables[0].title);
  EXPECT_EQ(table.at("columns")[1].at("heading"), "Only-BG-B ↓");
  const Json& row = table.at("rows")[1];
  EXPECT_EQ(row.at("name"), "+ ReMixer (ours)‡");
  EXPECT_EQ(row.at("labels"), "Bbox+GrabCut†");
  const Json &original = row.at("figures")[0], &background = row.at("figures")[1];
  EXPECT_EQ(original.at("value"), "66.00");
  EXPECT_EQ(original.at("gain"), "(+6.00)");
  EXPECT_EQ(original.at("gain_is"), "better");
  EXPECT_EQ(original.at("runs")[0].at("task_id"), "evaluate original " + masked_);
  EXPECT_EQ(background.at("gain"), "(−10.00)");
  EXPECT_EQ(background.at("gain_is"), "better") << "down is better";
  EXPECT_EQ(row.at("figures")[5].at("value"), "10.00") << "BG-Gap";
  EXPECT_EQ(row.at("figures")[5].at("gain"), "(−5.00)~");
  EXPECT_EQ(row.at("figures")[5].at("gain_is"), "noise");
  for (const auto& each : shown.at("tables"))
    for (const auto& note : each.at("notes")) EXPECT_TRUE(note.is_string());
  const std::string text = to_html(made);
  EXPECT_THAT(text, HasSubstr(original.at("detail").get<std::string>()));
}

TEST_F(PagesTest, CurvesOfARepeatedStepShowTheLaterAttempt) {
  const Report made = report();
  ASSERT_EQ(made.cells.size(), 2u);
  std::vector<double> values;
  for (const CurvePoint& point : made.cells[0].loss) values.push_back(point.value);
  EXPECT_THAT(values, ElementsAre(2.5, 2, 1.5));
  EXPECT_THAT(made.cells[1].loss, IsEmpty());
  EXPECT_EQ(made.cells[0].runs.front().attempts, 2);
}

TEST_F(PagesTest, PlotsAreFilesAndOnThePage) {
  const fs::path folder = database_.folder() / "out";
  const Report made = report();
  write_report(made, folder);
  const std::string html = read_file(folder / "index.html");
  for (const char* name :
       {"accuracy_bg_gap", "table1_gains", "kappa_by_layer", "learning_curves"}) {
    const std::string svg = read_file(folder / (std::string(name) + ".svg"));
    EXPECT_THAT(svg, HasSubstr("<svg xmlns=")) << name;
    EXPECT_THAT(html, HasSubstr(svg.substr(svg.find(" viewBox")))) << name;
  }
  const auto first = report_plots(made), second = report_plots(report());
  ASSERT_EQ(first.size(), second.size());
  for (size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].svg, second[i].svg);
  // Both models in the legend, by their whole names.
  EXPECT_THAT(first.front().svg, HasSubstr(">DeiT-nano</text>"));
  EXPECT_THAT(first.front().svg, HasSubstr(">DeiT-nano + ReMixer (Bbox+GrabCut)</text>"));
}

TEST_F(PagesTest, TableFourIsDrawnFromTheMaps) {
  add_saliency(plain_, false);
  add_saliency(masked_, true);
  const Report made = report(tools("for last; do :; done\nout=$4\necho \"$@\" > \"$out\"\n"));
  EXPECT_THAT(made.left_out, Not(::testing::Contains(HasSubstr("not drawn"))));
  ASSERT_EQ(made.pictures.size(), 1u);
  const Picture& picture = made.pictures[0];
  EXPECT_EQ(picture.heading, "DeiT-nano");
  ASSERT_EQ(picture.columns.size(), 2u);
  EXPECT_EQ(picture.columns[0].heading, "DeiT-nano");
  EXPECT_EQ(picture.columns[1].heading, "+ ReMixer, Bbox+GrabCut");
  EXPECT_THAT(picture.alt, HasSubstr("coat & tie: DeiT-nano says bag, + ReMixer, Bbox+GrabCut says "
                                     "coat & tie"));
  EXPECT_THAT(picture.caption, HasSubstr("Chefer"));
  EXPECT_THAT(picture.png, HasSubstr("--heading DeiT-nano --maps"));
  const std::string html = to_html(made);
  EXPECT_THAT(html, HasSubstr("src=\"data:image/png;base64,"));
  EXPECT_THAT(html, HasSubstr("coat &amp; tie"));
  EXPECT_THAT(html, Not(HasSubstr("http://localhost")));
  write_report(made, database_.folder() / "out");
  EXPECT_EQ(read_file(database_.folder() / "out" / "table4_deit-nano.png"), picture.png);
}

TEST_F(PagesTest, WhatCannotBeDrawnIsSaid) {
  add_saliency(plain_, false);
  Report made = report(tools("echo remixer: no room >&2; exit 3\n"));
  EXPECT_THAT(made.pictures, IsEmpty());
  EXPECT_THAT(made.left_out,
              ::testing::Contains(HasSubstr("Table 4, DeiT-nano: not drawn: remixer: no room")));
  made = report(database_.folder() / "no-such-program");
  EXPECT_THAT(made.left_out, ::testing::Contains(HasSubstr("not drawn: ")));
  fs::remove_all(database_.folder() / "runs");
  made = report(tools("exit 0\n"));
  EXPECT_THAT(made.left_out, ::testing::Contains(HasSubstr("saliency.safetensors")));
}

}  // namespace
}  // namespace remixer::reports
