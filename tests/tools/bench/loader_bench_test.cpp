// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/loader_bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/image/image.h"
#include "tests/support/temporary_folder.h"

namespace remixer::data {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(LoaderBench, ReadsWhatItCan) {
  const TemporaryFolder folder;
  put(folder.path() / "cat/2.png", encode_png(Image(4, 3)));
  put(folder.path() / "cat/deep/er/1.JPEG", "one");
  put(folder.path() / "dog/3.jpg", "three");
  std::vector<std::string> texts{
      "loader", folder.path().string(), "--rounds",     "1",        "--side",
      "16",     "--rand-augment",       "rand-m9-inc1", "--format", "json"};
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const int code = bench_loader_command(static_cast<int>(arguments.size()), arguments.data());
  EXPECT_THAT(::testing::internal::GetCapturedStdout(),
              HasSubstr("\"images\": 1, \"unreadable\": 2"));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("1.JPEG"), HasSubstr("3.jpg")));
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace remixer::data
