// SPDX-License-Identifier: Apache-2.0
// Whole command lines: what goes to which stream, and the exit code.
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "coordinator/command/verbs/command_line.h"
#include "coordinator/launch/slurm/site.h"
#include "tests/support/captured_answer.h"
#include "tests/support/help_text.h"

namespace remixer::coordinator::command {
namespace {

using remixer::testing::Answer;
using remixer::testing::answer_of;
using remixer::testing::example_in;
using remixer::testing::subcommands_in;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::StartsWith;

Answer run(const std::vector<std::string>& arguments) {
  return answer_of(run_command_line, "remixer", arguments);
}

void expect_bad_usage(const std::vector<std::string>& arguments, const std::string& part) {
  const Answer outcome = run(arguments);
  EXPECT_EQ(outcome.code, 2) << part;
  EXPECT_THAT(outcome.error, StartsWith("remixer: "));
  EXPECT_THAT(outcome.error, HasSubstr(part));
  EXPECT_EQ(std::count(outcome.error.begin(), outcome.error.end(), '\n'), 1) << outcome.error;
  EXPECT_EQ(outcome.out, "");
}

TEST(Arguments, MistakesAreOneLineAndExitCode2) {
  expect_bad_usage({}, "subcommand");
  expect_bad_usage({"rum"}, "rum");
  expect_bad_usage({"run"}, "GRID");
  expect_bad_usage({"run", "grid.toml", "--wokers", "2"}, "--wokers");
  expect_bad_usage({"run", "grid.toml", "--ranks", "0"}, "--ranks");
  expect_bad_usage({"run", "grid.toml", "--ranks", "many"}, "--ranks");
  expect_bad_usage({"up", "--port", "70000"}, "--port");
  expect_bad_usage({"status", "--format", "xml"}, "--format");
  expect_bad_usage({"query", "SELECT 1", "--labeler", "none"}, "not both");
}

// A webhook's address may hold a secret, and a command line is seen by all.
TEST(Arguments, TheWebhookCanBeReadFromAFile) {
  const Answer outcome = run({"up", "--notify-url", "@/nonexistent/webhook"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.error, HasSubstr("/nonexistent/webhook"));
}

// `remixer slurm up` without a site's file goes on with the one before.
TEST(Arguments, SlurmsSiteIsKept) {
  const fs::path workspace =
      fs::path(::testing::TempDir()) / ("kept_site_" + std::to_string(::getpid()));
  slurm::Site site;
  site.allocation.partition = "of-the-kept-site";
  write_file_atomic(workspace / "slurm.json",
                    Json{{"wanted", false}, {"site", slurm::to_json(site)}}.dump());
  const Answer kept = run({"slurm", "script", "--workspace", workspace.string()});
  EXPECT_EQ(kept.code, 0) << kept.error;
  EXPECT_THAT(kept.out, HasSubstr("#SBATCH --partition=of-the-kept-site\n"));
  const Answer changed =
      run({"slurm", "script", "--partition", "another", "--workspace", workspace.string()});
  EXPECT_THAT(changed.out, HasSubstr("#SBATCH --partition=another\n"));
  fs::remove_all(workspace);
}

TEST(Arguments, AHintNamesTheSubcommand) {
  EXPECT_THAT(run({"run"}).error, HasSubstr("`remixer run --help`"));
  EXPECT_THAT(run({"rum"}).error, HasSubstr("`remixer --help`"));
}

// The help of the command at `path`, and of all below it.
void check_help(const std::vector<std::string>& path) {
  std::vector<std::string> whole = path;
  whole.emplace_back("--help");
  const Answer outcome = run(whole);
  const std::string name = fmt::format("remixer {}", fmt::join(path, " "));
  EXPECT_EQ(outcome.code, 0) << name;
  EXPECT_EQ(outcome.error, "") << name;
  EXPECT_THAT(example_in(outcome.out), StartsWith(name));
  if (path.front() != "bench") {
    EXPECT_THAT(outcome.out, HasSubstr("-w,--workspace DIR")) << name;
  }
  for (const std::string& below : subcommands_in(outcome.out)) {
    whole.back() = below;
    check_help(whole);
  }
}

TEST(Arguments, EachSubcommandHasHelpWithAnExample) {
  const std::vector<std::string> names = subcommands_in(run({"--help"}).out);
  EXPECT_THAT(names,
              IsSupersetOf({"run", "status", "slurm", "bench", "dataset", "labels", "model"}));
  for (const std::string& name : names) {
    if (name == "dataset" || name == "labels" || name == "model") continue;  // of remixer-tools
    if (name == "bench") {
      check_help({name, "scheduler"});
      check_help({name, "study"});
    } else {
      check_help({name});
    }
  }
}

TEST(Arguments, HelpListsToolsAndVersionPrints) {
  EXPECT_THAT(run({"--help"}).out, HasSubstr("dataset"));
  EXPECT_THAT(run({"--version"}).out, StartsWith("remixer "));
}

TEST(Arguments, AMissingWorkspaceIsBadInputAndIsNotCreated) {
  const std::string workspace =
      ::testing::TempDir() + "arguments_test_" + std::to_string(::getpid()) + "_absent";
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"status"},
                                                    {"logs", "abcd"},
                                                    {"explain", "abcd"},
                                                    {"cancel", "abcd"},
                                                    {"retry", "abcd"},
                                                    {"query"},
                                                    {"report"},
                                                    {"down"}}) {
    std::vector<std::string> whole = arguments;
    whole.insert(whole.end(), {"--workspace", workspace});
    expect_bad_usage(whole, workspace);
    whole = {"--workspace", workspace};
    whole.insert(whole.end(), arguments.begin(), arguments.end());
    expect_bad_usage(whole, workspace);
    EXPECT_FALSE(std::filesystem::exists(workspace)) << arguments.front();
  }
}

TEST(Arguments, AMissingOrWrongGridIsBadInputBeforeTheWorkspaceIsTouched) {
  const std::filesystem::path folder =
      ::testing::TempDir() + "arguments_test_" + std::to_string(::getpid());
  const std::string workspace = (folder / "workspace").string();
  const std::string grid = (folder / "grid.toml").string();
  expect_bad_usage({"run", grid, "--workspace", workspace}, grid);
  write_file_atomic(grid, "no_such_key = 1\n");
  expect_bad_usage({"run", grid, "--workspace", workspace}, "no_such_key");
  expect_bad_usage({"submit", grid, "--workspace", workspace}, "no_such_key");
  EXPECT_FALSE(std::filesystem::exists(workspace));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace remixer::coordinator::command
