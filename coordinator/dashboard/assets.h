// SPDX-License-Identifier: Apache-2.0
// The dashboard's files, embedded in the program: they need no folder and no network.
#pragma once

#include <string>
#include <string_view>

namespace remixer::coordinator {

struct Asset {
  std::string_view name;  // "index.html"
  std::string_view bytes;
};

// Null if there is no file of this name.
const Asset* find_asset(std::string_view name);
// Chosen by the file extension, such as "text/html; charset=utf-8".
std::string content_type_of(std::string_view name);

}  // namespace remixer::coordinator
