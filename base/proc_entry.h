// SPDX-License-Identifier: Apache-2.0
// Reads one figure of the kernel's text files: /proc/meminfo, /proc/self/status, memory.stat.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace remixer {

// The whole number after `name` ("MemAvailable:") in a file of lines "name number [unit]". None if
// there is no such line or file.
std::optional<int64_t> proc_entry(const std::filesystem::path& file, std::string_view name);

}  // namespace remixer
