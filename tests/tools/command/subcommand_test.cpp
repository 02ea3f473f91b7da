// SPDX-License-Identifier: Apache-2.0
#include "tools/command/subcommand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/installation.h"
#include "tests/support/temporary_folder.h"

namespace remixer::tools {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Subcommand, TheWorkspaceIsTheOptionOrTheVariableOrAFolderHere) {
  const auto parsed = [](std::vector<std::string> arguments) {
    CLI::App app;
    std::filesystem::path workspace;
    add_workspace(app, workspace);
    app.parse(std::move(arguments));
    return workspace;
  };
  ::unsetenv("REMIXER_WORKSPACE");
  EXPECT_EQ(parsed({}), "workspace");
  ::setenv("REMIXER_WORKSPACE", "/data", 1);
  EXPECT_EQ(parsed({}), "/data");
  EXPECT_EQ(parsed({"other", "-w"}), "other");  // CLI11 takes them in reverse
  EXPECT_EQ(parsed({"--workspace=other"}), "other");
  ::setenv("REMIXER_WORKSPACE", "", 1);
  EXPECT_EQ(default_workspace(), "workspace");
  ::unsetenv("REMIXER_WORKSPACE");
}

TEST(Subcommand, ADatasetIsAFolderOrANameInTheWorkspace) {
  const TemporaryFolder workspace;
  const auto folder = workspace.path() / "datasets/0123";
  data::put(folder / "manifest.json", R"({"name": "photos"})");
  EXPECT_EQ(dataset_folder(folder, workspace.path()), folder);
  EXPECT_EQ(dataset_folder("photos", workspace.path()), folder);
  EXPECT_THAT(data::input_error([&] { dataset_folder("paintings", workspace.path()); }),
              AllOf(HasSubstr("paintings"), HasSubstr(workspace.path().string())));
  data::put(workspace.path() / "datasets/4567/manifest.json", R"({"name": "photos"})");
  EXPECT_THAT(data::input_error([&] { dataset_folder("photos", workspace.path()); }),
              HasSubstr("2 data sets"));
}

}  // namespace
}  // namespace remixer::tools
