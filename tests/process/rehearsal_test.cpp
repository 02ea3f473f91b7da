// SPDX-License-Identifier: Apache-2.0
// A small grid rehearsed with the real programs: nothing of what it names is there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "tests/process/grid_run.h"

namespace remixer::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kGrid = R"(name = "tiny"
[dataset.imagenet9]
builder = "imported"
[dataset.sketch_9]
builder = "imported"
[labeler.bigbigan]
pinned = "bigbigan"
short_edge = 32
[labeler.maps]
kind = "script_relabel"
pinned = "classifier"
[labeler.bbox_grabcut]
scale = 1
[recipe.long]
epochs = 100
image_size = 32
random_resized_crop = true
rand_augment = "rand-m9-mstd0.5-inc1"
repeated_augmentation = 3
ema_decay = 0.99
[[cells]]
architecture = "deit_nano_patch4_32"
labeler = ["none", "bigbigan", "maps", "bbox_grabcut"]
dataset = "imagenet9"
precision = "fp16"
seed = [0, 1, 2]
[[evaluation]]
sets = ["original", "only_bg_b", "only_fg", "mixed_same", "mixed_rand"]
[[evaluation]]
labeler = ["none", "bigbigan"]
sets = ["sketch_9"]
)";

class RehearsalTest : public ::testing::Test {
 protected:
  RehearsalTest() { write_file_atomic(file_, kGrid); }
  Finished remixer(std::vector<std::string> words, double seconds = 30) {
    words.insert(words.begin(), {program("remixer"), "--workspace", workspace_.string()});
    return run_program(words, folder_.path(), seconds);
  }

  ScratchFolder folder_{"rehearsal"};
  fs::path workspace_ = folder_ / "workspace", file_ = folder_ / "tiny.toml";
};

TEST_F(RehearsalTest, PlanNamesAllThatIsMissingAndSubmitRefusesIt) {
  const Finished plan = remixer({"plan", file_.string(), "--format", "json"});
  ASSERT_EQ(plan.code, 0) << plan.errors;
  const auto json = Json::parse(plan.output);
  EXPECT_EQ(json.at("cells"), 12);
  EXPECT_EQ(json.at("tasks_to_run"), json.at("tasks"));
  ASSERT_EQ(json.at("missing").size(), 4u) << plan.output;
  EXPECT_GT(json.at("device_hours").get<double>(), 0);
  EXPECT_FALSE(fs::exists(workspace_)) << "looking writes nothing";

  const Finished text = remixer({"plan", file_.string()});
  EXPECT_THAT(text.output, HasSubstr("Missing (4):"));
  EXPECT_THAT(text.output, HasSubstr("anvoynov/BigGANsAreWatching"));
  EXPECT_THAT(text.output, Not(HasSubstr("setup")));
  EXPECT_THAT(remixer({"plan", file_.string(), "--format", "csv"}).output, HasSubstr("kind,what,"));

  const Finished dry = remixer({"submit", file_.string(), "--dry-run"});
  EXPECT_EQ(dry.code, 2);
  EXPECT_EQ(dry.output, text.output);
  const Finished refused = remixer({"submit", file_.string()});
  EXPECT_EQ(refused.code, 2);
  for (const char* name : {"'imagenet9'", "'sketch_9'", "'bigbigan'", "'classifier'"}) {
    EXPECT_THAT(refused.errors, HasSubstr(name));
  }
  EXPECT_FALSE(fs::exists(workspace_));
}

TEST_F(RehearsalTest, FillsTablesFromNothing) {
  const Finished run = remixer({"rehearse", file_.string(), "--ranks", "2"}, 200);
  ASSERT_EQ(run.code, 0) << run.output << run.errors;
  const fs::path scratch = workspace_ / "rehearsals/tiny";
  EXPECT_EQ(count(scratch, "SELECT count(*) FROM grid_tasks WHERE state != 'done'"), 0);
  EXPECT_EQ(count(scratch, "SELECT count(DISTINCT cell_id) FROM results"), 4);
  EXPECT_EQ(count(scratch, "SELECT count(DISTINCT eval_set) FROM results"), 6);
  // Two steps of each.
  EXPECT_EQ(count(scratch, "SELECT max(step) FROM metrics WHERE name = 'loss'"), 2);
  EXPECT_THAT(run.output, HasSubstr("smaller than the real one"));
  EXPECT_THAT(run.output, HasSubstr("Table 1"));
  EXPECT_THAT(run.output, HasSubstr("measured: rehearsal of tiny"));
  const fs::path report = scratch / "reports/REHEARSAL-tiny";
  for (const char* name : {"report.md", "index.html", "report.json", "report.tex"}) {
    EXPECT_THAT(read_file(report / name), HasSubstr("REHEARSAL: made-up data")) << name;
  }
  EXPECT_THAT(read_file(report / "table1.csv"), HasSubstr("REHEARSAL-long"));
  for (const auto& record : Json::parse(read_file(report / "report.json")))
    EXPECT_THAT(record.at("note").get<std::string>(), HasSubstr("REHEARSAL"));
  EXPECT_THAT(read_file(report / "accuracy_bg_gap.svg"), HasSubstr(">REHEARSAL</text>"));
  // What it measured is what plan goes by; the real workspace holds nothing else of it.
  const auto record = Json::parse(read_file(workspace_ / "rehearsals/tiny.json"));
  EXPECT_EQ(record.at("training").size(), 4u);
  EXPECT_GT(record.at("training")[0].at("ms_a_step").get<double>(), 0);
  EXPECT_GT(record.at("training")[0].at("peak_memory_gib").get<double>(), 0.01);
  EXPECT_FALSE(fs::exists(workspace_ / "remixer.db"));
  EXPECT_FALSE(fs::exists(workspace_ / "weights"));
  EXPECT_EQ(remixer({"submit", file_.string()}).code, 2) << "made-up data are no data";
}

}  // namespace
}  // namespace remixer::testing
