// SPDX-License-Identifier: Apache-2.0
// What the user can get wrong: each a clear line, exit code 2, and nothing lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "base/hash.h"
#include "tests/process/grid_run.h"

namespace remixer::testing {
namespace {

// One line on the error stream that holds each of `parts`.
void expect_bad_input(const Finished& finished, const std::vector<std::string>& parts) {
  EXPECT_EQ(finished.code, 2) << finished.output << finished.errors;
  EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1) << finished.errors;
  for (const auto& part : parts) {
    EXPECT_NE(finished.errors.find(part), std::string::npos)
        << part << " not in: " << finished.errors;
  }
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  if (at == std::string::npos) fail("the grid lacks {}", from);
  return text.replace(at, from.size(), to);
}

TEST(BadInputTest, UnknownKeyInTheGrid) {
  ScratchFolder folder("bad-key");
  const auto grid = replaced(small_grid(), "kappa_lr", "kapa_lr");
  expect_bad_input(run_program(run_command(folder, grid), folder.path()),
                   {"small.toml:14", "kapa_lr", "kappa_lr"});
  EXPECT_FALSE(fs::exists(folder / "workspace"));
}

TEST(BadInputTest, UnknownValueInTheGrid) {
  ScratchFolder folder("bad-value");
  const auto grid = replaced(small_grid(), "bbox_grabcut", "bbox_grabcat");
  expect_bad_input(run_program(run_command(folder, grid), folder.path()),
                   {"small.toml:", "bbox_grabcat", "bbox_grabcut"});
}

TEST(BadInputTest, MissingGrid) {
  ScratchFolder folder("bad-file");
  expect_bad_input(
      run_program({program("remixer"), "run", (folder / "no.toml").string()}, folder.path()),
      {"no.toml"});
}

TEST(BadInputTest, UnknownOption) {
  ScratchFolder folder("bad-option");
  expect_bad_input(run_program({program("remixer"), "status", "--wach"}, folder.path()),
                   {"--wach"});
}

TEST(BadInputTest, WorkspaceThatCannotBeWritten) {
  ScratchFolder folder("bad-workspace");
  auto command = run_command(folder, small_grid());
  command[2] = "/proc/remixer-workspace";
  expect_bad_input(run_program(command, folder.path()), {"/proc/remixer-workspace"});
}

// A name that is not UTF-8 could not be written into the database and would come back as another.
TEST(BadInputTest, WorkspaceWhoseNameIsNotText) {
  ScratchFolder folder("bad-name");
  for (const char* name : {"work\xff", "work\nspace"}) {
    auto command = run_command(folder, small_grid());
    command[2] = (folder / name).string();
    const auto run = run_program(command, folder.path());
    EXPECT_EQ(run.code, 2) << run.errors;
    EXPECT_NE(run.errors.find("workspace"), std::string::npos) << run.errors;
    EXPECT_FALSE(fs::exists(folder / name));
  }
}

// A program that runs its arguments where it may mount file systems: as root by itself, else by a
// user namespace. Empty where neither is allowed.
std::vector<std::string> in_own_mounts(const fs::path& folder) {
  std::vector<std::string> command = {"unshare", "--mount"};
  if (::geteuid() != 0) command.insert(command.begin() + 1, "--map-root-user");
  std::vector<std::string> probe = command;
  probe.emplace_back("true");
  if (run_program(probe, folder).code != 0) command.clear();
  return command;
}

// A file system of a few kilobytes: the run ends with a reason, and what was acknowledged is whole.
TEST(BadInputTest, FullWorkspace) {
  ScratchFolder folder("bad-full");
  const auto command = run_command(folder, small_grid());
  std::string line =
      "mount -t tmpfs -o size=64k tmpfs '" + folder.path().string() + "/workspace' && exec";
  for (const auto& word : command) line += " '" + word + "'";
  fs::create_directories(folder / "workspace");
  auto mounting = in_own_mounts(folder.path());
  if (mounting.empty()) GTEST_SKIP() << "this machine lets nobody mount a file system";
  mounting.insert(mounting.end(), {"bash", "-c", line});
  const auto finished = run_program(mounting, folder.path());
  expect_bad_input(finished, {"workspace", "disk is full"});
}

TEST(BadInputTest, SecondDaemonAndPortInUse) {
  ScratchFolder folder("bad-second");
  const std::string workspace = (folder / "workspace").string();
  Program first({program("remixer"), "--workspace", workspace, "up", "--workers", "0"},
                folder.path());
  ASSERT_TRUE(eventually([&] { return fs::exists(folder / "workspace/access.json"); }))
      << first.errors();
  expect_bad_input(
      run_program({program("remixer"), "--workspace", workspace, "up", "--workers", "0"},
                  folder.path()),
      {"workspace", "daemon"});
  const auto access = read_file(folder / "workspace/access.json");
  const size_t at = access.find("\"port\"");
  ASSERT_NE(at, std::string::npos);
  const std::string port = std::to_string(std::stoi(access.substr(access.find(':', at) + 1)));
  expect_bad_input(run_program({program("remixer"), "--workspace", (folder / "other").string(),
                                "up", "--workers", "0", "--port", port},
                               folder.path()),
                   {port, "in use"});
  first.signal(SIGTERM);
  EXPECT_EQ(first.wait(20).code, 0) << first.errors();
}

class PreparedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // A dataset and its labels, made by the tools.
    const auto built = run_program({program("remixer"), "--workspace", workspace(), "dataset",
                                    "build", "fashion-bg", "train_images=320", "test_images=40"},
                                   folder_.path());
    ASSERT_EQ(built.code, 0) << built.output << built.errors;
  }
  std::string workspace() const { return (folder_ / "workspace").string(); }
  fs::path dataset() const {
    for (const auto& entry : fs::directory_iterator(folder_ / "workspace/datasets"))
      return entry.path();
    fail("no dataset was built");
  }
  ScratchFolder folder_{"bad-data"};
};

TEST_F(PreparedTest, TornImageIsNamedAndStopsOnlyWhatItMust) {
  fs::path torn;
  for (const auto& entry : fs::recursive_directory_iterator(dataset() / "mixed_rand")) {
    if (entry.is_regular_file() && (torn.empty() || entry.path() < torn)) torn = entry.path();
  }
  ASSERT_FALSE(torn.empty());
  fs::resize_file(torn, fs::file_size(torn) / 2);
  const auto finished = run_program(run_command(folder_, small_grid()), folder_.path(), 100);
  expect_bad_input(finished, {torn.filename().string()});
  // Both cells' other sets were evaluated all the same.
  EXPECT_EQ(count(folder_ / "workspace",
                  "SELECT count(*) FROM results WHERE eval_set = 'original' AND metric = 'top1'"),
            4);
  EXPECT_EQ(
      count(folder_ / "workspace", "SELECT count(*) FROM results WHERE eval_set = 'mixed_rand'"),
      0);
}

}  // namespace
}  // namespace remixer::testing
