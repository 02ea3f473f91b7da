// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/ask/log_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "coordinator/views/task_log.h"

namespace remixer::coordinator::command {
namespace {

namespace fs = std::filesystem;

class LogFile : public ::testing::Test {
 protected:
  LogFile() { fs::create_directories(workspace_); }
  ~LogFile() override { fs::remove_all(workspace_); }

  void append(const std::string& attempt, const std::string& text) {
    const fs::path folder = workspace_ / "runs" / "task" / attempt;
    fs::create_directories(folder);
    std::ofstream(folder / "log.txt", std::ios::app) << text;
  }

  fs::path workspace_ =
      fs::path(::testing::TempDir()) / ("log_file_test_" + std::to_string(::getpid()));
};

TEST_F(LogFile, IsTheHighestAttemptsByNumber) {
  for (int attempt = 1; attempt <= 10; ++attempt) append(std::to_string(attempt), "text");
  append("9.old", "not an attempt");
  fs::create_directories(workspace_ / "runs" / "task" / "11");
  EXPECT_EQ(newest_log(workspace_, "task"), workspace_ / "runs" / "task" / "10" / "log.txt");
  EXPECT_FALSE(newest_log(workspace_, "another"));
}

TEST_F(LogFile, IsReadOnceAndFollowsTheNextAttempt) {
  append("1", "a\n");
  LogReader log(workspace_, "task");
  EXPECT_EQ(log.next(), "a\n");
  EXPECT_EQ(log.next(), "");
  append("1", "b\n");
  EXPECT_EQ(log.next(), "b\n");
  append("2", "c\n");
  EXPECT_EQ(log.next(), "--- attempt 2\nc\n");
}

}  // namespace
}  // namespace remixer::coordinator::command
