// SPDX-License-Identifier: Apache-2.0
// Datasets of the user's own in grids.
#include "experiments/spec/imported.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/file.h"
#include "experiments/grid/grid.h"
#include "experiments/spec/components.h"
#include "tests/experiments/expect_error.h"
#include "tests/support/program.h"

namespace remixer::experiments {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ImportedTest : public ::testing::Test {
 protected:
  // A workspace with a dataset of two splits, and one for evaluation alone.
  ImportedTest() {
    add("photos", {{"train", 60}, {"val", 20}}, 64, "c0ffee");
    add("shifted_9", {{"val", 10}}, 0, "beef");
    add("variants", {{"original", 10}, {"mixed_same", 10}}, 64, "f00d");
  }

  void add(const std::string& name, const Json& splits, int image_size, const std::string& hash) {
    Json manifest = {{"format", 1},
                     {"name", name},
                     {"root", "/somewhere"},
                     {"classes", {"cat", "dog"}},
                     {"image_size", image_size},
                     {"mean", {0.5, 0.5, 0.5}},
                     {"deviation", {0.2, 0.2, 0.2}},
                     {"splits", splits},
                     {"content_sha256", hash}};
    manifest["spec"] = write_value(imported_spec(manifest));
    write_file_atomic(workspace_ / "datasets" / name / "manifest.json", manifest.dump());
  }

  Grid grid(const std::string& dataset, const std::string& sets,
            const std::string& labeler = "none") {
    return parse_grid("name = \"own\"\n[dataset.photos]\nbuilder = \"imported\"\n" + dataset +
                          "\n[recipe.short]\nepochs = 5\nshard_size = 8\n[[cells]]\narchitecture = "
                          "\"deit_nano_patch4_32\"\ndataset = \"photos\"\nlabeler = \"" +
                          labeler + "\"\n[[evaluation]]\nsets = [" + sets + "]\n",
                      "own.toml", workspace_);
  }

  testing::ScratchFolder folder_{"imported"};
  fs::path workspace_ = folder_.path();
};

TEST_F(ImportedTest, EntersACellByTheHashOfItsContent) {
  const Cell cell = grid("", "\"val\"").cells.at(0);
  EXPECT_EQ(cell.dataset.name, "imported");
  EXPECT_EQ(cell.dataset.hash("manifest_sha256").size(), 64u);
  EXPECT_EQ(cell.dataset_name, "photos");
  require_known_versions(cell);
  // Another place and another name change nothing, other content or normalisation does.
  auto manifest = Json::parse(read_file(workspace_ / "datasets/photos/manifest.json"));
  manifest["root"] = "/elsewhere";
  manifest["name"] = "other";
  EXPECT_EQ(imported_spec(manifest), cell.dataset);
  const std::vector<std::pair<std::string, Json>> changes = {
      {"content_sha256", "d00d"},
      {"classes", Json::array({"dog", "cat"})},
      {"mean", Json::array({0.4, 0.5, 0.5})},
      {"image_size", 32}};
  for (const auto& [field, value] : changes) {
    Json changed = manifest;
    changed[field] = value;
    EXPECT_NE(imported_spec(changed), cell.dataset) << field;
  }
}

TEST_F(ImportedTest, HasItsOwnEvaluationSetsAndThoseOfOtherDatasets) {
  const Grid all = grid(
      "[dataset.shifted_9]\nbuilder = \"imported\"\n[dataset.more]\nbuilder = \"imported\"\nname = "
      "\"variants\"\n",
      "\"val\", \"shifted_9\", \"more/mixed_same\"", "bbox_grabcut");
  std::vector<std::string> titles;
  for (const Task& task : all.tasks) titles.push_back(task.title);
  const std::string cell = "deit_nano_patch4_32 · bbox_grabcut · seed 0";
  EXPECT_THAT(titles, ElementsAre("prepare photos", "label photos · train · bbox_grabcut",
                                  "label photos · val · bbox_grabcut", "prepare shifted_9",
                                  "label shifted_9 · val · bbox_grabcut", "prepare more",
                                  "label more · mixed_same · bbox_grabcut", "train " + cell,
                                  "evaluate val · " + cell, "evaluate shifted_9 · " + cell,
                                  "evaluate more/mixed_same · " + cell));
  EXPECT_FALSE(all.tasks[8].spec.contains("dataset"));
  EXPECT_EQ(all.tasks[9].spec.at("split"), "val");
  EXPECT_EQ(all.tasks[9].spec.at("dataset"),
            write_value(find_imported(workspace_, "shifted_9").spec));
  EXPECT_EQ(all.tasks[10].spec.at("split"), "mixed_same");
  EXPECT_EQ(all.tasks[9].dependencies.front(), all.tasks[3].id());
  EXPECT_EQ(task_from_json(to_json(all.tasks[9])).id(), all.tasks[9].id());
  // A new evaluation set trains nothing again.
  EXPECT_EQ(grid("", "\"val\"", "bbox_grabcut").cells.at(0).id(), all.cells.at(0).id());
}

TEST_F(ImportedTest, MistakesAreNamed) {
  EXPECT_THAT(input_error([&] { grid("name = \"fotos\"", "\"val\""); }),
              ::testing::AllOf(HasSubstr("own.toml:4"), HasSubstr("did you mean 'photos'"),
                               HasSubstr("remixer dataset import")));
  EXPECT_THAT(input_error([&] { grid("name = \"shifted_9\"", "\"val\""); }),
              HasSubstr("has no split \"train\""));
  EXPECT_THAT(input_error([&] { grid("", "\"orignal\""); }), HasSubstr("'original'"));
  EXPECT_THAT(input_error([&] {
                grid("[dataset.more]\nbuilder = \"imported\"\nname = \"variants\"\n", "\"more\"");
              }),
              HasSubstr("'more/original'"));
  EXPECT_THAT(input_error([&] { grid("[dataset.x]\nbuilder = \"imagenet9\"\n", "\"val\""); }),
              HasSubstr("remixer dataset build imagenet9 --from"));
  EXPECT_THAT(input_error([&] { grid("seed = 3", "\"val\""); }), HasSubstr("'seed'"));
  write_file_atomic(workspace_ / "datasets/copy/manifest.json",
                    read_file(workspace_ / "datasets/photos/manifest.json"));
  EXPECT_THAT(input_error([&] { grid("", "\"val\""); }), HasSubstr("2 datasets"));
}

}  // namespace
}  // namespace remixer::experiments
