// SPDX-License-Identifier: Apache-2.0
// Follows the log of a task's newest attempt.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace remixer::coordinator::command {

// Reads a log piece by piece and switches to a newer attempt's log when there is one.
class LogReader {
 public:
  LogReader(std::filesystem::path workspace, std::string task_id);

  // Text written since the last call; empty if none. A newer attempt's log begins with a line
  // naming it.
  std::string next();
  // The file read last; empty before the first read.
  const std::filesystem::path& file() const { return file_; }

 private:
  std::filesystem::path workspace_;
  std::string task_id_;
  std::filesystem::path file_;
  uint64_t offset_ = 0;
};

}  // namespace remixer::coordinator::command
