// SPDX-License-Identifier: Apache-2.0
// Registers user weights and label maps by name and hash. `remixer labels pin` puts them into
// <workspace>/weights, beside a small file NAME.pin.json that says what they are; cells hold their
// hashes alone.
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

// What `workspace` calls `name`; nothing where it has none. Throws InputError where the file is
// torn.
std::optional<WorkspacePin> find_pin(const std::filesystem::path& workspace,
                                     const std::string& name);

// Gives a pin its name, in place of what had it before. Throws InputError where `name` may not be
// one.
void write_pin(const std::filesystem::path& workspace, const std::string& name,
               const WorkspacePin& pin);

// The file or folder in which a labeler finds what is pinned to `sha256`:
// <name>-<first 16 digits><extension>.
std::filesystem::path pinned_file(const std::filesystem::path& folder, const std::string& name,
                                  const std::string& sha256, const std::string& extension);

// Where what labeler `kind` pins comes from, and the commands that pin it as `name`.
struct PinAdvice {
  std::string source, command;
  double gigabytes = 0;  // about; 0: not known
};
PinAdvice pin_advice(const std::string& kind, const std::string& name);

}  // namespace remixer::experiments
