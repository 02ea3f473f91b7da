// SPDX-License-Identifier: Apache-2.0
// Parses untrusted JSON, with a limit on nesting.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace remixer {

constexpr int kDeepestJson = 100;

// Throws InputError naming `what` if the text is nested more than kDeepestJson deep.
void check_depth(std::string_view text, const std::string& what);

// Throws as check_depth, and also if the text is not JSON.
Json parse_json(std::string_view text, const std::string& what);

}  // namespace remixer
