// SPDX-License-Identifier: Apache-2.0
#include "worker/outbox.h"

#include <spdlog/spdlog.h>

#include "base/error.h"
#include "experiments/protocol/kept_result.h"
#include "experiments/protocol/result_files.h"

namespace remixer::worker {

namespace protocol = experiments::protocol;

namespace {

// Why the result must not be sent again; empty if it may.
std::string flaw(const std::filesystem::path& workspace, const protocol::Assignment& assignment,
                 const protocol::AttemptResult& result) {
  if (result.task_id != assignment.task_id) return "it is another task's";
  if (!result.publish.empty()) return "its files are not in their place";
  return protocol::result_damage(workspace, result.result, true).value_or("");
}

// Extracts the number from "runs/<task>/<number>".
int64_t number_of(const std::string& folder) {
  return std::strtoll(folder.c_str() + folder.rfind('/') + 1, nullptr, 10);
}

}  // namespace

std::optional<protocol::AttemptResult> earlier_result(const std::filesystem::path& workspace,
                                                      const protocol::Assignment& assignment) {
  const auto& folders = assignment.previous;
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
    if (number_of(*folder) < assignment.results_from) break;
    try {
      auto result = protocol::read_kept_result(workspace / *folder);
      if (!result) continue;
      const std::string why = flaw(workspace, assignment, *result);
      if (why.empty()) return result;
      spdlog::warn("the result in {} is not sent again: {}", *folder, why);
    } catch (const std::exception& error) {
      spdlog::warn("passing over the result in {}: {}", *folder, error.what());
    }
  }
  return std::nullopt;
}

}  // namespace remixer::worker
