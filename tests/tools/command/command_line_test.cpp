// SPDX-License-Identifier: Apache-2.0
#include "tools/command/command_line.h"

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "base/error.h"
#include "tests/support/captured_answer.h"
#include "tests/support/help_text.h"

namespace remixer::tools {
namespace {

using remixer::testing::Answer;
using remixer::testing::answer_of;
using remixer::testing::example_in;
using remixer::testing::subcommands_in;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::StartsWith;

Answer run(const std::vector<std::string>& arguments) {
  return answer_of(run_tools, "remixer-tools", arguments);
}

// The help of the command at `path`, which is on standard output.
std::string help(std::vector<std::string> path) {
  path.emplace_back("--help");
  const Answer answer = run(path);
  EXPECT_EQ(answer.code, kExitDone) << fmt::format("{}", fmt::join(path, " "));
  EXPECT_EQ(answer.error, "") << fmt::format("{}", fmt::join(path, " "));
  return answer.out;
}

// `text` is the help of the command at `path`.
void check_example(const std::vector<std::string>& path, const std::string& text) {
  const char* program = path.front() == "rehearsal" ? "remixer-tools" : "remixer";
  const std::string example = example_in(text);
  EXPECT_THAT(example, StartsWith(fmt::format("{} {}", program, fmt::join(path, " "))));
  std::istringstream words(example);
  for (std::string word; words >> word;) {
    if (!word.starts_with("--")) continue;
    EXPECT_THAT(text, HasSubstr(word + " ")) << example;
  }
}

// Every subcommand below `path`, and how many there are.
size_t walk(const std::vector<std::string>& path) {
  const std::string text = help(path);
  if (!path.empty()) check_example(path, text);
  size_t count = 1;
  for (const std::string& name : subcommands_in(text)) {
    std::vector<std::string> below = path;
    below.push_back(name);
    count += walk(below);
  }
  return count;
}

TEST(ToolsCommandLine, EachSubcommandHasHelpWithAnExample) {
  EXPECT_GE(walk({}), 33u);
}

TEST(ToolsCommandLine, HelpIsOutputAndMissingWordsAreBadUsage) {
  EXPECT_THAT(subcommands_in(help({})),
              IsSupersetOf({"bench", "dataset", "labels", "model", "rehearsal"}));
  EXPECT_EQ(run({"-h"}).out, help({}));
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{}, {"paint"}, {"bench"}, {"dataset"}, {"labels"}, {"model"}}) {
    const Answer answer = run(arguments);
    EXPECT_EQ(answer.code, kExitBadInput) << answer.error;
    EXPECT_EQ(answer.out, "");
    EXPECT_NE(answer.error, "");
  }
}

TEST(ToolsCommandLine, HelpSaysWhatAnInputFileHolds) {
  EXPECT_THAT(help({"model", "forward"}), HasSubstr("file with images and labels\n"));
  EXPECT_THAT(help({"model", "backward"}), HasSubstr("file with images, labels and targets\n"));
}

// Those that can use a workspace: one option, one text.
TEST(ToolsCommandLine, TheWorkspaceIsNamedInOneWay) {
  for (const std::vector<std::string>& path : {std::vector<std::string>{"dataset", "build"},
                                               {"dataset", "import"},
                                               {"dataset", "list"},
                                               {"dataset", "verify"},
                                               {"dataset", "sheet"},
                                               {"labels", "build"},
                                               {"labels", "import"},
                                               {"labels", "pin"},
                                               {"labels", "inspect"},
                                               {"labels", "quality"},
                                               {"model", "import"},
                                               {"model", "evaluate"},
                                               {"model", "challenge"},
                                               {"model", "explain"}}) {
    const std::string text = help(path);
    EXPECT_THAT(text, HasSubstr("-w,--workspace DIR"));
    EXPECT_THAT(text, HasSubstr("Folder of the data, runs and results [$REMIXER_WORKSPACE or "
                                "./workspace]"));
  }
}

}  // namespace
}  // namespace remixer::tools
