// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/verbs/handover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace remixer::coordinator::command {
namespace {

using ::testing::ElementsAre;

std::optional<Handover> find(std::vector<std::string> arguments) {
  std::vector<char*> raw;
  for (std::string& argument : arguments) raw.push_back(argument.data());
  return find_handover(static_cast<int>(raw.size()), raw.data());
}

TEST(Handover, PassesArgumentsThroughUntouched) {
  const auto found = find({"remixer", "dataset", "build", "--help", "--", "-x"});
  ASSERT_TRUE(found);
  EXPECT_THAT(found->arguments, ElementsAre("dataset", "build", "--help", "--", "-x"));
  EXPECT_EQ(found->workspace, "");
}

TEST(Handover, TakesTheWorkspaceGivenBefore) {
  EXPECT_EQ(find({"remixer", "--workspace", "w", "labels", "build"})->workspace, "w");
  EXPECT_EQ(find({"remixer", "--workspace=w", "labels"})->workspace, "w");
  EXPECT_EQ(find({"remixer", "-w", "w", "model"})->workspace, "w");
  EXPECT_EQ(find({"remixer", "-ww", "dataset", "list"}).value().workspace, "w");
}

TEST(Handover, LeavesOurOwnCommandsAlone) {
  EXPECT_FALSE(find({"remixer"}));
  EXPECT_FALSE(find({"remixer", "run", "dataset"}));
  EXPECT_FALSE(find({"remixer", "--workspace", "dataset"}));
  EXPECT_FALSE(find({"remixer", "--help"}));
  EXPECT_FALSE(find({"remixer", "bench", "scheduler"}));
  EXPECT_FALSE(find({"remixer", "bench", "study", "--cells", "10"}));
  EXPECT_TRUE(find({"remixer", "bench", "step"}));
}

}  // namespace
}  // namespace remixer::coordinator::command
