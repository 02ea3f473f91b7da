// SPDX-License-Identifier: Apache-2.0
#include "tools/dataset/dataset_tool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "base/file.h"
#include "base/json.h"
#include "core/dataset/dataset_writer.h"
#include "core/image/image.h"
#include "tests/support/captured_answer.h"
#include "tests/support/temporary_folder.h"

namespace remixer::data {
namespace {

using remixer::testing::Answer;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Answer dataset(const std::vector<std::string>& arguments) {
  return testing::answer_of(dataset_command, "dataset", arguments);
}

class DatasetTool : public ::testing::Test {
 protected:
  // A dataset of one image, in a workspace.
  DatasetTool() {
    DatasetWriter writer(folder_, {"cat"}, 4, experiments::DatasetSpec{{"test"}});
    writer.add_folder("train/cat");
    writer.add_file("train/cat/0.png", encode_png(Image(4, 4)));
    writer.add_split("train", {{"train/cat/0.png", 0, {}, "", "", ""}});
    writer.publish({0.5, 0.5, 0.5}, {0.1, 0.1, 0.1});
  }

  TemporaryFolder workspace_;
  fs::path folder_ = workspace_.path() / "datasets" / "one";
};

TEST_F(DatasetTool, BadUsageIsOneLineAndExitCodeTwo) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{}, {"paint"}, {"build"}, {"list", "--format", "xml"}}) {
    const Answer answer = dataset(arguments);
    EXPECT_EQ(answer.code, 2);
    EXPECT_THAT(answer.error, HasSubstr("remixer dataset: "));
    EXPECT_EQ(std::count(answer.error.begin(), answer.error.end(), '\n'), 1) << answer.error;
  }
}

TEST_F(DatasetTool, UnknownBuildersAndParametersAreRefused) {
  const std::string output = (workspace_.path() / "new").string();
  EXPECT_THAT(input_error([&] {
                dataset({"build", "fashion", "--output", output});
              }),
              HasSubstr("fashion-bg"));
  EXPECT_THAT(input_error([&] {
                dataset({"build", "fashion-bg", "train_image=10", "--output", output});
              }),
              HasSubstr("train_images"));
  EXPECT_THAT(input_error([&] {
                dataset({"build", "fashion-bg", "seed=x", "--output", output});
              }),
              HasSubstr("NAME=NUMBER"));
  EXPECT_FALSE(fs::exists(output));
}

TEST_F(DatasetTool, ListShowsSoundAndBrokenDatasets) {
  put(workspace_.path() / "datasets" / "two" / "manifest.json", "{");
  const Answer answer =
      dataset({"list", "--workspace", workspace_.path().string(), "--format", "json"});
  EXPECT_EQ(answer.code, 0);
  const auto rows = Json::parse(answer.out).at("datasets");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["dataset"], "one");
  EXPECT_EQ(rows[0]["train"], 1);
  EXPECT_EQ(rows[0]["state"], "whole");
  EXPECT_THAT(rows[1]["state"].get<std::string>(), HasSubstr("torn"));
}

// However the workspace is named, its data sets are listed, and what can be built and imported.
TEST_F(DatasetTool, ListShowsTheWorkspaceAndTheBuilders) {
  const std::string workspace = workspace_.path().string();
  const auto expect_all = [&](const Answer& answer) {
    EXPECT_EQ(answer.code, 0) << answer.error;
    EXPECT_THAT(answer.out, StartsWith("Data sets of the workspace " + workspace + "\n"));
    EXPECT_THAT(answer.out, HasSubstr("\none "));
    EXPECT_THAT(answer.out, HasSubstr("\n\nTo build: "));
    EXPECT_THAT(answer.out, HasSubstr("\nfashion-bg "));
    EXPECT_THAT(answer.out, HasSubstr("\n\nTo import: "));
    EXPECT_THAT(answer.out, HasSubstr("\nstylized "));
  };
  expect_all(dataset({"list", "-w", workspace}));
  expect_all(dataset({"list", "--workspace", workspace}));
  ::setenv("REMIXER_WORKSPACE", workspace.c_str(), 1);
  expect_all(dataset({"list"}));
  ::unsetenv("REMIXER_WORKSPACE");
  const Answer none = dataset({"list", "-w", (workspace_.path() / "absent").string()});
  EXPECT_EQ(none.code, 0);
  EXPECT_THAT(none.out, HasSubstr("absent (no such folder): none\n"));
  EXPECT_THAT(none.out, HasSubstr("\nfashion-bg "));
  EXPECT_THAT(input_error([&] {
                dataset({"list", "-w", (folder_ / "manifest.json").string()});
              }),
              HasSubstr("not a folder"));
}

TEST_F(DatasetTool, ADatasetIsNamedAsItsWorkspaceCallsIt) {
  const std::string workspace = workspace_.path().string();
  auto manifest = Json::parse(read_file(folder_ / "manifest.json"));
  manifest["name"] = "photos";
  put(folder_ / "manifest.json", manifest.dump());
  EXPECT_EQ(dataset({"verify", "photos", "--workspace", workspace}).code, 0);
  EXPECT_EQ(dataset({"verify", "photos", "-w", workspace}).code, 0);
  const std::string output = (workspace_.path() / "sheet.png").string();
  EXPECT_EQ(dataset({"sheet", "photos", "-w", workspace, "--output", output}).code, 0);
  EXPECT_THAT(input_error([&] {
                dataset({"verify", "paintings", "-w", workspace});
              }),
              HasSubstr("paintings"));
}

TEST_F(DatasetTool, ImportPutsADatasetIntoTheWorkspace) {
  const fs::path images = workspace_.path() / "images", other = workspace_.path() / "other";
  put(images / "cat/1.png", encode_png(Image(4, 4)));
  put(images / "dog/1.png", encode_png(Image(5, 5)));
  const Answer answer = dataset({"import", "folder", images.string(), "-w", other.string()});
  EXPECT_EQ(answer.code, 0) << answer.out << answer.error;
  EXPECT_TRUE(fs::is_directory(other / "datasets"));
}

TEST_F(DatasetTool, VerifyTellsSoundFromTorn) {
  const Answer sound = dataset({"verify", folder_.string()});
  EXPECT_EQ(sound.code, 0);
  EXPECT_THAT(sound.out, HasSubstr("sound"));
  put(folder_ / "train/cat/0.png", "");
  const Answer torn = dataset({"verify", folder_.string()});
  EXPECT_EQ(torn.code, 1);
  EXPECT_THAT(torn.out, HasSubstr("train/cat/0.png is empty"));
}

TEST_F(DatasetTool, SheetWritesAnImage) {
  const fs::path output = workspace_.path() / "sheet.png";
  EXPECT_EQ(dataset({"sheet", folder_.string(), "--output", output.string(), "--cell", "16"}).code,
            0);
  EXPECT_EQ(read_image(output).width, 24);
}

}  // namespace
}  // namespace remixer::data
