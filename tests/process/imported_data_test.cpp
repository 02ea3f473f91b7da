// SPDX-License-Identifier: Apache-2.0
// A user's own images through the real programs: imported in place, trained and evaluated in a
// grid, on another dataset's images as well.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/process/grid_run.h"
#include "tests/support/photographs.h"

namespace remixer::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kGrid = R"(name = "own"

[dataset.photos]
builder = "imported"

[dataset.shifted]
builder = "imported"

[recipe.short]
epochs = 1
shards = 2
shard_size = 8
image_size = 32
learning_rate = 1e-3
learning_rate_batch = 0
warmup_epochs = 0

[[cells]]
architecture = "deit_nano_patch4_32"
dataset = "photos"
recipe = "short"
labeler = ["none", "bbox_grabcut"]

[[evaluation]]
sets = ["val", "shifted"]
)";

class ImportedDataTest : public ::testing::Test {
 protected:
  // Images of 32 x 32 below `folder`, with a table of their boxes.
  void make_images(const std::string& folder, const std::string& split, int count) {
    std::string boxes;
    for (int i = 0; i < count; ++i) {
      const data::Box box{4 + i % 8, 6, 16 + i % 8, 22};
      const std::string path = fmt::format("{}/{}/{}.jpg", split, i % 2 ? "cat" : "dog", i);
      data::save_jpeg(
          source_ / folder / path,
          data::photograph(32, 32, box, static_cast<uint64_t>(i) + folder.size() * 100));
      boxes +=
          fmt::format("{}\t{}\t{}\t{}\t{}\n", path, box.x0 - 2, box.y0 - 2, box.x1 + 2, box.y1 + 2);
    }
    const fs::path table = source_ / (folder + ".tsv");
    write_file_atomic(table, read_file_if_exists(table).value_or("") + boxes);
  }
  Finished remixer(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {program("remixer"), "--workspace", workspace_.string()});
    return run_program(arguments, folder_.path(), 200);
  }

  ScratchFolder folder_{"imported-data"};
  fs::path source_ = folder_ / "photos and more", workspace_ = folder_ / "workspace";
};

TEST_F(ImportedDataTest, RunsInAGridFromEndToEnd) {
  make_images("photos", "train", 48);
  make_images("photos", "val", 12);
  make_images("shifted", "val", 10);
  write_file_atomic(folder_ / "own.toml", kGrid);
  const std::vector<std::string> run = {
      "run", (folder_ / "own.toml").string(), "--workers", "1", "--ranks", "2"};

  const auto missing = remixer(run);
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.errors, HasSubstr("own.toml:3: no dataset 'photos'"));
  EXPECT_THAT(missing.errors, HasSubstr("remixer dataset import"));

  const auto before = data::fingerprint(source_);
  for (const std::string name : {"photos", "shifted"}) {
    const auto imported = remixer({"dataset", "import", "folder", (source_ / name).string(),
                                   "--boxes", (source_ / (name + ".tsv")).string()});
    ASSERT_EQ(imported.code, 0) << imported.errors;
    EXPECT_THAT(imported.output, HasSubstr("[dataset." + name + "]"));
  }
  // The workspace named before the subcommand is the tools' as well.
  const auto list = remixer({"dataset", "list"});
  EXPECT_THAT(list.output, HasSubstr(" photos "));
  EXPECT_THAT(list.output, HasSubstr("\nfashion-bg "));
  EXPECT_EQ(remixer({"dataset", "verify", "shifted"}).code, 0);
  const auto first = remixer(run);
  ASSERT_EQ(first.code, 0) << first.output << first.errors;
  const auto all = figures(workspace_);
  for (const std::string labeler : {"none", "bbox_grabcut"}) {
    EXPECT_TRUE(all.contains(labeler + "/raw/val/top1")) << labeler;
    EXPECT_TRUE(all.contains(labeler + "/raw/shifted/top1")) << labeler;
  }
  EXPECT_EQ(count(workspace_, "SELECT n FROM results WHERE eval_set = 'shifted' LIMIT 1"), 10);
  EXPECT_EQ(data::fingerprint(source_), before);

  // The images are elsewhere, and the workspace knows it: nothing runs again.
  const int64_t attempts = count(workspace_, "SELECT count(*) FROM runs");
  fs::rename(source_, folder_ / "moved");
  const auto again = remixer({"dataset", "import", "folder", (folder_ / "moved/photos").string(),
                              "--boxes", (folder_ / "moved/photos.tsv").string()});
  ASSERT_EQ(again.code, 0) << again.errors;
  EXPECT_EQ(remixer(run).code, 0);
  EXPECT_EQ(count(workspace_, "SELECT count(*) FROM runs"), attempts);
}

// An image that was changed in place is not trained on under the old content's hash.
TEST_F(ImportedDataTest, AnImageChangedAfterTheImportStopsTheRunByName) {
  make_images("photos", "train", 48);
  make_images("photos", "val", 12);
  make_images("shifted", "val", 10);
  write_file_atomic(folder_ / "own.toml", kGrid);
  for (const std::string name : {"photos", "shifted"}) {
    const auto imported = remixer({"dataset", "import", "folder", (source_ / name).string(),
                                   "--boxes", (source_ / (name + ".tsv")).string()});
    ASSERT_EQ(imported.code, 0) << imported.errors;
  }
  data::save_jpeg(source_ / "photos/train/cat/1.jpg",
                  data::photograph(32, 32, data::Box{4, 6, 16, 22}, 999));
  const auto run =
      remixer({"run", (folder_ / "own.toml").string(), "--workers", "1", "--ranks", "2"});
  EXPECT_EQ(run.code, 2) << run.output << run.errors;
  EXPECT_THAT(run.output + run.errors, HasSubstr("train/cat/1.jpg has other bytes now"));
  EXPECT_EQ(count(workspace_, "SELECT count(*) FROM results"), 0);
}

}  // namespace
}  // namespace remixer::testing
