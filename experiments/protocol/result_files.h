// SPDX-License-Identifier: Apache-2.0
// Lists the workspace files that a result names. Code that deletes, checks or reads back results
// uses this list, so that all agree on the files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace remixer::experiments::protocol {

struct ResultFile {
  std::string path;    // of a file or folder, relative to the workspace
  std::string sha256;  // of the file's bytes; empty if the result has none
};

// Every path in a result of any kind, at any depth: dataset, labels, predictions, and the model's
// last, averaged and best weights. A string is a path if it is below runs/, datasets/, labels/ or
// models/; the hash of "x" is in "x_sha256" beside it.
std::vector<ResultFile> result_files(const Json& result);

// Why the result is not valid: the first of its files that is missing or, with `hashes`, whose
// SHA-256 differs from the stated one. Nothing if all is well. Reads the workspace.
std::optional<std::string> result_damage(const std::filesystem::path& workspace, const Json& result,
                                         bool hashes);

// "runs/<task>" for "runs/<task>/<attempt>/...", else the path itself.
std::string folder_of_task(const std::string& path);

}  // namespace remixer::experiments::protocol
