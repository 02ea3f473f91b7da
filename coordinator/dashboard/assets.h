// SPDX-License-Identifier: Apache-2.0
// The dashboard's files, inside the program: it needs no folder and no network.
#pragma once

#include <string>
#include <string_view>

namespace remixer::coordinator {

struct Asset {
  std::string_view name;  // "index.html"
  std::string_view bytes;
};

// Null where there is none of this name.
const Asset* find_asset(std::string_view name);
// By the name's ending, as "text/html; charset=utf-8".
std::string content_type_of(std::string_view name);

}  // namespace remixer::coordinator
