// `remixer labels`, called as the helper program calls it.
#include "labelcache/tool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "experiments/json.h"
#include "tests/support/program.h"
#include "tests/support/tiny_dataset.h"

namespace remixer::labelcache {
namespace {

using ::testing::HasSubstr;
using ::testing::internal::CaptureStderr;
using ::testing::internal::CaptureStdout;
using ::testing::internal::GetCapturedStderr;
using ::testing::internal::GetCapturedStdout;

struct Answer {
  int code = 0;
  std::string out, error;
};

Answer labels(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "labels");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  CaptureStdout();
  CaptureStderr();
  Answer answer;
  answer.code = labels_command(static_cast<int>(argv.size()), argv.data());
  answer.out = GetCapturedStdout();
  answer.error = GetCapturedStderr();
  return answer;
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
  const auto description = experiments::Json::parse(inspected.out);
  EXPECT_EQ(description.at("split"), "original");
  EXPECT_EQ(description.at("labeler").at("scale"), 1);

  const Answer map = labels({"inspect", file, "original/val/red/0000.png"});
  EXPECT_EQ(map.code, kExitDone) << map.error;
  EXPECT_EQ(std::count(map.out.begin(), map.out.end(), '\n'), 32);
  EXPECT_THAT(map.out, HasSubstr("ffffffff"));

  const Answer stats = labels({"stats", file, "--format", "json"});
  ASSERT_EQ(stats.code, kExitDone) << stats.error;
  const auto figures = experiments::Json::parse(stats.out);
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
