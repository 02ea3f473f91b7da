// SPDX-License-Identifier: Apache-2.0
#include "coordinator/views/task_log.h"

#include <algorithm>
#include <fstream>

#include "base/error.h"
#include "coordinator/scheduler/state.h"

namespace remixer::coordinator {

namespace fs = std::filesystem;

namespace {

fs::path log_file(const fs::path& workspace, const std::string& task, int64_t attempt) {
  return workspace / attempt_folder(task, attempt) / "log.txt";
}

// The highest attempt that has a log; 0 if none has.
int64_t newest_attempt(const fs::path& workspace, const std::string& task) {
  int64_t newest = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(workspace / "runs" / task, error)) {
    const auto number = attempt_number(entry.path().filename().string());
    if (!number || *number <= newest) continue;
    if (fs::is_regular_file(entry.path() / "log.txt", error)) newest = *number;
  }
  return newest;
}

// Number of bytes at the end that belong to an incomplete UTF-8 character.
size_t unfinished_bytes(const std::string& text) {
  for (size_t back = 1; back <= std::min<size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xc0) == 0x80) continue;
    const size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

}  // namespace

std::optional<fs::path> newest_log(const fs::path& workspace, const std::string& task_id) {
  const int64_t newest = newest_attempt(workspace, task_id);
  return newest > 0 ? std::optional(log_file(workspace, task_id, newest)) : std::nullopt;
}

experiments::protocol::answers::Log read_task_log(const fs::path& workspace,
                                                  const LogQuestion& question) {
  const int64_t attempt =
      question.attempt > 0 ? question.attempt : newest_attempt(workspace, question.task_id);
  experiments::protocol::answers::Log answer;
  answer.task_id = question.task_id;
  if (attempt == 0) return answer;
  std::ifstream file(log_file(workspace, question.task_id, attempt), std::ios::binary);
  if (!file) return answer;
  file.seekg(0, std::ios::end);
  const auto size = static_cast<int64_t>(file.tellg());
  int64_t from =
      std::min(question.from.value_or(std::max<int64_t>(0, size - question.limit)), size);
  std::string text(static_cast<size_t>(std::min(question.limit, size - from)), '\0');
  file.seekg(from);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (!question.from && from > 0) {
    const size_t line = std::min(text.find('\n'), text.size() - 1) + 1;
    text.erase(0, line);
    from += static_cast<int64_t>(line);
  }
  // The rest of the character may not be written yet. If there is nothing else, keep the bytes.
  const size_t cut = unfinished_bytes(text);
  if (cut < text.size()) text.erase(text.size() - cut);
  answer.attempt = attempt;
  answer.from = from;
  answer.next = from + static_cast<int64_t>(text.size());
  answer.size = size;
  answer.text = std::move(text);
  return answer;
}

}  // namespace remixer::coordinator
