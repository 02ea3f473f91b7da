// SPDX-License-Identifier: Apache-2.0
// `remixer labels`, called as the helper program calls it.
#include "tools/labels/labels_tool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "core/image/image.h"
#include "experiments/spec/pins.h"
#include "tests/support/captured_answer.h"
#include "tests/support/program.h"
#include "tests/support/tiny_dataset.h"

namespace remixer::labelcache {
namespace {

using remixer::testing::Answer;
using ::testing::HasSubstr;

Answer labels(const std::vector<std::string>& arguments) {
  return testing::answer_of(labels_command, "labels", arguments);
}

TEST(LabelsCommand, BuildsInspectsCountsAndVerifies) {
  const testing::ScratchFolder scratch("labels-command");
  testing::write_tiny_dataset(scratch / "dataset", 6, 3);
  const std::string file = scratch / "original.labels";
  const Answer built = labels({"build", "bbox_grabcut", "scale=1", "--dataset", scratch / "dataset",
                               "--split", "original", "--output", file, "--threads", "1"});
  ASSERT_EQ(built.code, kExitDone) << built.error;
  EXPECT_THAT(built.out, HasSubstr("3 images"));
  EXPECT_THAT(built.error, HasSubstr("3 of 3 images"));

  const Answer inspected = labels({"inspect", file, "--format", "json"});
  ASSERT_EQ(inspected.code, kExitDone) << inspected.error;
  const auto description = Json::parse(inspected.out);
  EXPECT_EQ(description.at("split"), "original");
  EXPECT_EQ(description.at("labeler").at("scale"), 1);

  const Answer map = labels({"inspect", file, "original/val/red/0000.png"});
  EXPECT_EQ(map.code, kExitDone) << map.error;
  EXPECT_EQ(std::count(map.out.begin(), map.out.end(), '\n'), 32);
  EXPECT_THAT(map.out, HasSubstr("ffffffff"));

  const Answer stats = labels({"stats", file, "--format", "json"});
  ASSERT_EQ(stats.code, kExitDone) << stats.error;
  const auto figures = Json::parse(stats.out);
  // The square is 12 × 12 of 32 × 32 pixels.
  EXPECT_NEAR(figures.at("object_share").get<double>(), 144.0 / 1024, 0.05);
  EXPECT_EQ(figures.at("empty_maps"), 0);

  EXPECT_EQ(labels({"verify", file}).code, kExitDone);
  std::string bytes = read_file(file);
  bytes[bytes.size() / 2] ^= 1;
  write_file_atomic(file, bytes);
  const Answer damaged = labels({"verify", file});
  EXPECT_EQ(damaged.code, kExitBadInput);
  EXPECT_THAT(damaged.error, HasSubstr("damaged"));
}

TEST(LabelsCommand, ADatasetMayBeNamedAsTheWorkspaceCallsIt) {
  const testing::ScratchFolder scratch("labels-command-named");
  const std::filesystem::path folder = scratch / "datasets/0123";
  testing::write_tiny_dataset(folder, 6, 3);
  auto manifest = Json::parse(read_file(folder / "manifest.json"));
  manifest["name"] = "photos";
  write_file_atomic(folder / "manifest.json", manifest.dump());
  const auto build = [&](const std::string& name) {
    return labels({"build", "bbox_grabcut", "--workspace", scratch / ".", "--dataset", name,
                   "--split", "original", "--output", scratch / "named.labels"});
  };
  const Answer built = build("photos");
  ASSERT_EQ(built.code, kExitDone) << built.error;
  EXPECT_THAT(built.out, HasSubstr("3 images"));
  const Answer drawn =
      labels({"inspect", scratch / "named.labels", "original/val/red/0000.png", "--png",
              scratch / "map.png", "--dataset", "photos", "-w", scratch / "."});
  EXPECT_EQ(drawn.code, kExitDone) << drawn.error;
  for (const char* name : {"red/0000", "green/0001", "blue/0002"}) {
    data::write_png(scratch / ("maps/" + std::string(name) + ".png"), data::GrayImage(8, 8));
  }
  const Answer imported =
      labels({"import", "png", scratch / "maps", "--dataset", "photos", "-w", scratch / ".",
              "--split", "original", "--output", scratch / "masks.labels"});
  EXPECT_EQ(imported.code, kExitDone) << imported.error;
  const Answer unknown = build("paintings");
  EXPECT_EQ(unknown.code, kExitBadInput);
  EXPECT_THAT(unknown.error, HasSubstr("paintings"));
}

TEST(LabelsCommand, DrawsRatesAndImports) {
  const testing::ScratchFolder scratch("labels-command-2");
  testing::write_tiny_dataset(scratch / "dataset", 6, 3);
  const std::string file = scratch / "train.labels", id = "train/red/0000.png";
  ASSERT_EQ(labels({"build", "relabel", "input_size=64", "--dataset", scratch / "dataset",
                    "--split", "train", "--output", file, "--threads", "1"})
                .code,
            kExitDone);
  const Answer drawn =
      labels({"inspect", file, id, "--png", scratch / "map.png", "--dataset", scratch / "dataset"});
  EXPECT_EQ(drawn.code, kExitDone) << drawn.error;
  EXPECT_EQ(data::read_image(scratch / "map.png").height, 512);
  EXPECT_EQ(labels({"inspect", file, id, "--png", scratch / "map.png"}).code, kExitBadInput);
  const auto map = Json::parse(labels({"inspect", file, id, "--format", "json"}).out);
  EXPECT_EQ(map.at("height"), 2);
  EXPECT_EQ(map.at("values").size(), 20u);
  EXPECT_EQ(map.at("indices").size(), 20u);

  const Answer rated = labels({"quality", "bbox_grabcut", "--dataset", scratch / "dataset",
                               "--split", "train", "--images", "4", "--format", "json"});
  ASSERT_EQ(rated.code, kExitDone) << rated.error;
  const auto figures = Json::parse(rated.out);
  EXPECT_EQ(figures.at("images"), 4);
  EXPECT_GT(figures.at("mask_iou").get<double>(), 0.6);

  for (const char* name :
       {"red/0000", "green/0001", "blue/0002", "red/0003", "green/0004", "blue/0005"}) {
    data::write_png(scratch / ("maps/" + std::string(name) + ".png"), data::GrayImage(8, 8));
  }
  const Answer imported =
      labels({"import", "png", scratch / "maps", "--dataset", scratch / "dataset", "--split",
              "train", "--output", scratch / "masks.labels"});
  EXPECT_EQ(imported.code, kExitDone) << imported.error;
  EXPECT_THAT(imported.out, HasSubstr("6 images"));
  const Answer pinned = labels({"pin", scratch / "masks.labels", "--weights", scratch / "weights"});
  EXPECT_EQ(pinned.code, kExitDone) << pinned.error;
  EXPECT_THAT(pinned.out, HasSubstr("kind = \"imported_masks\"\nlabels_sha256 = \""));
  // Into the workspace, under a name, unless a folder is given.
  const fs::path workspace = scratch / "work";
  const Answer named = labels(
      {"pin", scratch / "masks.labels", "--workspace", workspace.string(), "--name", "truth"});
  EXPECT_EQ(named.code, kExitDone) << named.error;
  EXPECT_THAT(named.out, HasSubstr("kind = \"imported_masks\"\npinned = \"truth\""));
  const auto pin = experiments::find_pin(workspace, "truth");
  ASSERT_TRUE(pin.has_value());
  EXPECT_THAT(named.out, HasSubstr("labels_sha256 = \"" + pin->sha256 + "\""));
  EXPECT_TRUE(
      fs::exists(workspace / "weights" / ("labels-" + pin->sha256.substr(0, 16)) / "train.labels"));
}

TEST(LabelsCommand, BenchesAFileAndLeavesNothing) {
  const testing::ScratchFolder scratch("labels-bench");
  const Answer answer =
      labels({"bench", "--images", "1500", "--seconds", "0.01", "--folder", scratch / "here"});
  EXPECT_EQ(answer.code, kExitDone) << answer.error;
  EXPECT_THAT(answer.out, HasSubstr("of raw"));
  EXPECT_THAT(answer.out, HasSubstr("opens in"));
  EXPECT_THAT(answer.out, HasSubstr("patch labels"));
  EXPECT_FALSE(fs::exists(scratch / "here"));
}

TEST(LabelsCommand, BadInputIsOneLineAndExitCodeTwo) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"build", "salience", "--dataset", "d", "--split", "s", "--output", "o"},
      {"build", "saliency", "input_size", "--dataset", "d", "--split", "s", "--output", "o"},
      {"build", "saliency", "--dataset", "/no/such/folder", "--split", "s", "--output", "/tmp/o"},
      {"inspect", "/no/such/file"},
      {"stats", "/no/such/file", "--format", "xml"}};
  for (const auto& arguments : wrong) {
    const Answer answer = labels(arguments);
    EXPECT_EQ(answer.code, kExitBadInput) << answer.error;
    EXPECT_EQ(std::count(answer.error.begin(), answer.error.end(), '\n'), 1) << answer.error;
  }
}

}  // namespace
}  // namespace remixer::labelcache
