// SPDX-License-Identifier: Apache-2.0
// Lists the files that a result names in the workspace. Whoever deletes, believes or reads back
// results asks here, so that all mean the same files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace remixer::experiments::protocol {

struct ResultFile {
  std::string path;    // of a file or folder, relative to the workspace
  std::string sha256;  // of the file's bytes; empty where the result does not say
};

// Every path that a result of any kind names, at any depth: dataset, labels, predictions, and the
// model's last, averaged and best weights. A text is a path where it stands below runs/, datasets/,
// labels/ or models/; the hash of "x" is in "x_sha256" beside it.
std::vector<ResultFile> result_files(const Json& result);

// Why the result cannot be believed: the first of its files that is not there or, with `hashes`,
// whose bytes are not those that it says. Nothing where all is well. Reads the workspace.
std::optional<std::string> result_damage(const std::filesystem::path& workspace, const Json& result,
                                         bool hashes);

// "runs/<task>" for "runs/<task>/<attempt>/...", the path itself for any other.
std::string folder_of_task(const std::string& path);

}  // namespace remixer::experiments::protocol
