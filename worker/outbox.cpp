#include "worker/outbox.h"

#include <spdlog/spdlog.h>

#include "base/error.h"
#include "base/file.h"

namespace remixer::worker {

using experiments::protocol::AttemptResult;
using experiments::protocol::Ending;

void keep_result(const std::filesystem::path& folder, const AttemptResult& result) {
  write_file_atomic(folder / "result.json", experiments::protocol::to_json(result).dump(1));
}

std::optional<AttemptResult> kept_result(const std::vector<std::filesystem::path>& folders) {
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
    const auto text = read_file_if_exists(*folder / "result.json");
    if (!text) continue;
    try {
      auto result =
          experiments::protocol::from_json<AttemptResult>(experiments::Json::parse(*text));
      if (result.ending == Ending::kDone) return result;
    } catch (const std::exception& error) {
      spdlog::warn("passing over {}: {}", (*folder / "result.json").string(), error.what());
    }
  }
  return std::nullopt;
}

}  // namespace remixer::worker
