// SPDX-License-Identifier: Apache-2.0
// Files of tests, and what is said of bad ones.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/temporary_folder.h"

namespace remixer::data {

// Replaces a file's bytes, plainly.
inline void put(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// The InputError's text that `action` throws, or a text that no test accepts.
template <typename Action>
std::string input_error(Action&& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  } catch (const std::exception& error) {
    return fmt::format("<another exception: {}>", error.what());
  }
  return "<no exception>";
}

}  // namespace remixer::data
