// SPDX-License-Identifier: Apache-2.0
// Registers user weights and label maps by name and hash. `remixer labels pin` puts them into
// <workspace>/weights, with a small file NAME.pin.json that describes them; cells hold only the
// hashes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace remixer::experiments {

struct WorkspacePin {
  std::string kind;    // the labeler: "bigbigan", "script_relabel", "imported_maps", ...
  std::string key;     // its pin: "weights_sha256" or "labels_sha256"
  std::string sha256;  // 64 digits
};

// <workspace>/weights.
std::filesystem::path weights_folder(const std::filesystem::path& workspace);

// The workspace's pin called `name`; nothing if there is none. Throws InputError if its file is
// damaged.
std::optional<WorkspacePin> find_pin(const std::filesystem::path& workspace,
                                     const std::string& name);

// Stores a pin under `name`, replacing any earlier one. Throws InputError if `name` is not a valid
// name.
void write_pin(const std::filesystem::path& workspace, const std::string& name,
               const WorkspacePin& pin);

// The file or folder of a labeler's input that is pinned to `sha256`: <name>-<first 16
// digits><extension>.
std::filesystem::path pinned_file(const std::filesystem::path& folder, const std::string& name,
                                  const std::string& sha256, const std::string& extension);

// Where the input that labeler `kind` pins comes from, and the commands that pin it as `name`.
struct PinAdvice {
  std::string source, command;
  double gigabytes = 0;  // approximate; 0: unknown
};
PinAdvice pin_advice(const std::string& kind, const std::string& name);

}  // namespace remixer::experiments
