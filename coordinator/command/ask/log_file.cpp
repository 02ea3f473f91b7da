// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/ask/log_file.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "coordinator/views/task_log.h"

namespace remixer::coordinator::command {

LogReader::LogReader(std::filesystem::path workspace, std::string task_id)
    : workspace_(std::move(workspace)), task_id_(std::move(task_id)) {}

std::string LogReader::next() {
  std::string text;
  const auto newest = newest_log(workspace_, task_id_);
  if (!newest) return text;
  if (*newest != file_) {
    if (!file_.empty())
      text = fmt::format("--- attempt {}\n", newest->parent_path().filename().string());
    file_ = *newest;
    offset_ = 0;
  }
  std::ifstream stream(file_, std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(offset_));
  std::string piece((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  offset_ += piece.size();
  return text + piece;
}

}  // namespace remixer::coordinator::command
