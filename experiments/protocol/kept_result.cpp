// SPDX-License-Identifier: Apache-2.0
#include "experiments/protocol/kept_result.h"

#include "base/error.h"
#include "base/file.h"

namespace remixer::experiments::protocol {
namespace {

constexpr const char* kName = "result.json";

}  // namespace

void write_kept_result(const std::filesystem::path& folder, const AttemptResult& result) {
  write_file_atomic(folder / kName,
                    to_json(result).dump(1, ' ', false, Json::error_handler_t::replace));
}

std::optional<AttemptResult> read_kept_result(const std::filesystem::path& folder) {
  const auto text = read_file_if_exists(folder / kName);
  if (!text) return std::nullopt;
  const Json json = Json::parse(*text, nullptr, false);
  if (json.is_discarded()) fail_input("{} is torn", (folder / kName).string());
  auto result = from_json<AttemptResult>(json);
  if (result.ending != Ending::kDone) return std::nullopt;
  return result;
}

}  // namespace remixer::experiments::protocol
