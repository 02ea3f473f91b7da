// SPDX-License-Identifier: Apache-2.0
// Reads parts of an attempt's log file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/json.h"

namespace remixer::coordinator {

struct LogQuestion {
  std::string task_id;  // a complete id
  int64_t attempt = 0;  // 0: the newest that has a log
  // Start byte; nothing: the last `limit` bytes, beginning at a line start.
  std::optional<int64_t> from = std::nullopt;
  int64_t limit = 64 << 10;
};

// The log of the newest attempt that has one; empty if none has.
std::optional<std::filesystem::path> newest_log(const std::filesystem::path& workspace,
                                                const std::string& task_id);

// {"task_id", "attempt" (null if there is no log), "text", "from", "next", "size"}: bytes `from` to
// `next` (exclusive) of a file of `size`. Characters are not split.
Json read_task_log(const std::filesystem::path& workspace, const LogQuestion& question);

}  // namespace remixer::coordinator
