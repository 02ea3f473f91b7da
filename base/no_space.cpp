// SPDX-License-Identifier: Apache-2.0
#include "base/no_space.h"

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "base/error.h"

namespace remixer {

bool is_no_space(const std::exception& error) {
  constexpr std::array<int, 3> kCodes = {ENOSPC, EDQUOT, EFBIG};
  const auto* system = dynamic_cast<const std::system_error*>(&error);
  const std::string_view text = error.what();
  for (const int code : kCodes) {
    if (system && system->code() == std::error_code(code, std::generic_category())) return true;
    if (text.find(errno_text(code)) != text.npos) return true;
  }
  return false;
}

}  // namespace remixer
