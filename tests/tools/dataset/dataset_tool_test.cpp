// SPDX-License-Identifier: Apache-2.0
#include "tools/dataset/dataset_tool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <exception>

#include "base/file.h"
#include "base/json.h"
#include "core/dataset/dataset_writer.h"
#include "core/image/image.h"
#include "tests/support/temporary_folder.h"

namespace remixer::data {
namespace {

using ::testing::HasSubstr;

struct Answer {
  int code = 0;
  std::string out, error;
};

// What the command answers; exceptions pass through.
Answer dataset(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "dataset");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Answer answer;
  std::exception_ptr failure;
  try {
    answer.code = dataset_command(static_cast<int>(argv.size()), argv.data());
  } catch (...) {
    failure = std::current_exception();
  }
  std::fflush(nullptr);
  answer.out = ::testing::internal::GetCapturedStdout();
  answer.error = ::testing::internal::GetCapturedStderr();
  if (failure) std::rethrow_exception(failure);
  return answer;
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
  const auto rows = Json::parse(answer.out);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["dataset"], "one");
  EXPECT_EQ(rows[0]["train"], 1);
  EXPECT_EQ(rows[0]["state"], "whole");
  EXPECT_THAT(rows[1]["state"].get<std::string>(), HasSubstr("torn"));
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
