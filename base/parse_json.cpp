// SPDX-License-Identifier: Apache-2.0
#include "base/parse_json.h"

#include <algorithm>

#include "base/error.h"

namespace remixer {
namespace {

// The maximum nesting depth of arrays and objects. Correct for every valid text.
int depth_of(std::string_view text) {
  int depth = 0, deepest = 0;
  bool inside_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inside_string) {
      if (c == '\\') ++i;
      if (c == '"') inside_string = false;
    } else if (c == '"') {
      inside_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

void check_depth(std::string_view text, const std::string& what) {
  if (depth_of(text) > kDeepestJson) {
    fail_input("{} is nested more than {} deep", what, kDeepestJson);
  }
}

Json parse_json(std::string_view text, const std::string& what) {
  check_depth(text, what);
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) fail_input("{} is not JSON", what);
  return json;
}

}  // namespace remixer
