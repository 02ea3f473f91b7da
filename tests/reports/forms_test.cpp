// How a table is written: Markdown, CSV, terminal, HTML.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "reports/format.h"
#include "reports/report.h"
#include "tests/reports/study_database.h"

namespace remixer::reports {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Two rows, one figure missing.
class Forms : public ::testing::Test {
 protected:
  void SetUp() override {
    database_.begin_grid("small");
    const std::string plain = database_.add_cell({});
    database_.add_challenge(plain, {64.2, 30, 35.5, 70, 42});
    const std::string remixer = database_.add_cell({.labeler = "bbox_grabcut"});
    database_.add_challenge(remixer, {68.4, 28.1, 35.5, 74});
    database_.add_evaluate_task(remixer, "mixed_rand", "running");
    database_.add_training(remixer, 1, "done", "2026-11-23T10:00:00Z", "2026-11-23T10:01:30Z",
                           {0.5, 0.125});
    report_ = make_report(database_.file());
    ASSERT_EQ(report_.tables.size(), 1u);
  }
  const Table& table() const { return report_.tables[0]; }
  StudyDatabase database_;
  Report report_;
};

TEST_F(Forms, Markdown) {
  EXPECT_EQ(to_markdown(table()), R"golden(## Table 1. Background Challenge

Accuracy on the Background Challenge, with and without ReMixer. Only-BG-B and Only-BG-T show no object, so a lower figure means less reliance on backgrounds; BG-Gap is Mixed-Same − Mixed-Rand.

| Model | Labels | Original ↑ | Only-BG-B ↓ | Only-BG-T ↓ | Mixed-Same ↑ | Mixed-Rand ↑ | BG-Gap ↓ |
|:--|:--|--:|--:|--:|--:|--:|--:|
| DeiT-nano |  | 64.20 | 30.00 | **35.50** | 70.00 | 42.00 | 28.00 |
| + ReMixer | Bbox+GrabCut† | **68.40** (+4.20) | **28.10** (−1.90) | **35.50** (+0.00) | **74.00** (+4.00) | – | – |

- Percent. In parentheses the gain over the plain model above; the best of a block is marked. Trained on fashion-bg, recipe quickstart, fp32; the last epoch's weights.
- One seed; 1000 images a set. 95 % intervals (Wilson; Newcombe for differences) reach at most ±4.24 on a figure and ±4.19 on a gain.
- –: missing, 2 of 12 figures: 2 running.
- †: its labels were made with the boxes of the test images.
- Not in this grid: MLP-Mixer, ConvMixer.
)golden");
}

TEST_F(Forms, Csv) {
  EXPECT_EQ(
      to_csv(table()),
      R"golden(table,weights,train_set,recipe,precision,model,labels,architecture,spatial_prior,labeler,test_time_boxes,column,better,value,low,high,sd,seeds,n,gain,gain_low,gain_high,best,missing,paper
1,raw,fashion-bg,quickstart,fp32,DeiT-nano,,deit_nano_patch4_32,none,none,0,original,higher,64.2,61.1795,67.1118,,1,1000,,,,0,,
1,raw,fashion-bg,quickstart,fp32,DeiT-nano,,deit_nano_patch4_32,none,none,0,only_bg_b,lower,30,27.2407,32.9124,,1,1000,,,,0,,
1,raw,fashion-bg,quickstart,fp32,DeiT-nano,,deit_nano_patch4_32,none,none,0,only_bg_t,lower,35.5,32.5948,38.5161,,1,1000,,,,1,,
1,raw,fashion-bg,quickstart,fp32,DeiT-nano,,deit_nano_patch4_32,none,none,0,mixed_same,higher,70,67.0876,72.7593,,1,1000,,,,0,,
1,raw,fashion-bg,quickstart,fp32,DeiT-nano,,deit_nano_patch4_32,none,none,0,mixed_rand,higher,42,38.9773,45.084,,1,1000,,,,0,,
1,raw,fashion-bg,quickstart,fp32,DeiT-nano,,deit_nano_patch4_32,none,none,0,bg_gap,lower,28,23.7582,32.0928,,1,1000,,,,0,,
1,raw,fashion-bg,quickstart,fp32,+ ReMixer,Bbox+GrabCut,deit_nano_patch4_32,none,bbox_grabcut,1,original,higher,68.4,65.4527,71.2064,,1,1000,4.2,0.0569134,8.32306,1,,
1,raw,fashion-bg,quickstart,fp32,+ ReMixer,Bbox+GrabCut,deit_nano_patch4_32,none,bbox_grabcut,1,only_bg_b,lower,28.1,25.402,30.9656,,1,1000,-1.9,-5.87005,2.07815,1,,
1,raw,fashion-bg,quickstart,fp32,+ ReMixer,Bbox+GrabCut,deit_nano_patch4_32,none,bbox_grabcut,1,only_bg_t,lower,35.5,32.5948,38.5161,,1,1000,0,-4.18771,4.18771,1,,
1,raw,fashion-bg,quickstart,fp32,+ ReMixer,Bbox+GrabCut,deit_nano_patch4_32,none,bbox_grabcut,1,mixed_same,higher,74,71.1932,76.6231,,1,1000,4,0.0640025,7.91955,1,,
1,raw,fashion-bg,quickstart,fp32,+ ReMixer,Bbox+GrabCut,deit_nano_patch4_32,none,bbox_grabcut,1,mixed_rand,higher,,,,,0,,,,,0,running,
1,raw,fashion-bg,quickstart,fp32,+ ReMixer,Bbox+GrabCut,deit_nano_patch4_32,none,bbox_grabcut,1,bg_gap,lower,,,,,0,,,,,0,running,
)golden");
}

TEST_F(Forms, Terminal) {
  EXPECT_EQ(table_text(table(), false), R"golden(Table 1. Background Challenge
───────────────────────────────────────────────────────────────────────────────────────────────────────────────
Model                        Original ↑     Only-BG-B ↓     Only-BG-T ↓    Mixed-Same ↑  Mixed-Rand ↑  BG-Gap ↓
───────────────────────────────────────────────────────────────────────────────────────────────────────────────
DeiT-nano                64.20           30.00           35.50*          70.00                 42.00     28.00
+ ReMixer Bbox+GrabCut†  68.40* (+4.20)  28.10* (−1.90)  35.50* (+0.00)  74.00* (+4.00)            –         –
───────────────────────────────────────────────────────────────────────────────────────────────────────────────
Percent. In parentheses the gain over the plain model above; the best of a block is marked. Trained on fashion-bg, recipe quickstart, fp32; the last epoch's weights.
One seed; 1000 images a set. 95 % intervals (Wilson; Newcombe for differences) reach at most ±4.24 on a figure and ±4.19 on a gain.
–: missing, 2 of 12 figures: 2 running.
†: its labels were made with the boxes of the test images.
Not in this grid: MLP-Mixer, ConvMixer.
)golden");
}

TEST_F(Forms, ColourAddsEscapesAndNothingElse) {
  std::string text = table_text(table(), true);
  EXPECT_THAT(text, HasSubstr("\x1b[1m68.40\x1b[0m"));
  for (size_t at; (at = text.find('\x1b')) != std::string::npos;) {
    text.erase(at, text.find('m', at) - at + 1);
  }
  EXPECT_THAT(text, HasSubstr("68.40 (+4.20)"));
  EXPECT_THAT(text, Not(HasSubstr("*")));
}

TEST_F(Forms, HtmlHoldsTablesFigureKappaAndFactsAndAsksForNothing) {
  const std::string html = to_html(report_);
  EXPECT_THAT(html, HasSubstr("<b>68.40</b><span class=\"gain good\">(+4.20)</span>"));
  EXPECT_THAT(html, HasSubstr("95 %: 65.45 to 71.21; n = 1000; gain +4.20, 95 %: +0.06 to +8.32"));
  EXPECT_THAT(html, HasSubstr("class=\"missing\" title=\"missing: running\">–"));
  EXPECT_THAT(html, HasSubstr("<figcaption>BG-Gap"));
  EXPECT_THAT(html, HasSubstr(">0.125</td>"));
  EXPECT_THAT(html, HasSubstr("<dt>Training, in all</dt><dd>1 min 30 s</dd>"));
  for (const char* outside : {"http:", "https:", "src=", "@import", "url(", "<script"}) {
    EXPECT_THAT(html, Not(HasSubstr(outside)));
  }
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
  EXPECT_THAT(to_csv(table()), HasSubstr("\"<img src=x onerror=alert(1)>\"\"'|*\""));
}

TEST_F(Forms, EveryFileIsWritten) {
  const fs::path folder = database_.folder() / "reports" / "small";
  write_report(report_, folder);
  EXPECT_EQ(read_file(folder / "table1.md"), to_markdown(table()));
  EXPECT_EQ(read_file(folder / "table1.csv"), to_csv(table()));
  EXPECT_EQ(read_file(folder / "report.md"), to_markdown(report_));
  EXPECT_EQ(read_file(folder / "index.html"), to_html(report_));
}

TEST(Format, PercentAndSigns) {
  EXPECT_EQ(percent_text(68.404), "68.40");
  EXPECT_EQ(percent_text(-3.2), "−3.20");
  EXPECT_EQ(signed_text(4.2), "+4.20");
  EXPECT_EQ(signed_text(-5.5), "−5.50");
  EXPECT_EQ(signed_text(-0.001), "+0.00");
}

}  // namespace
}  // namespace remixer::reports
