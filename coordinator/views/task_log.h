// SPDX-License-Identifier: Apache-2.0
// Reads parts of an attempt's log file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "experiments/protocol/answers.h"

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

// Characters are not split.
experiments::protocol::answers::Log read_task_log(const std::filesystem::path& workspace,
                                                  const LogQuestion& question);

}  // namespace remixer::coordinator
