// SPDX-License-Identifier: Apache-2.0
// Registers user weights by hash: TorchScript networks and sets of maps.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "labelcache/labelers/labeler.h"

namespace remixer::labelcache {

// How a grid refers to it: [labeler.NAME] with these lines.
struct Pin {
  std::string kind;  // the labeler
  std::string key;   // "weights_sha256" or "labels_sha256"
  std::string sha256;
};

// Copies a file that weights/convert.py converted (bigbigan-*.safetensors or
// u2net-*.safetensors) into the folder `weights`, after loading it as a check. Throws InputError
// if it is none.
Pin pin_network(const std::filesystem::path& file, const std::filesystem::path& weights);

// Copies a description and its TorchScript model into the folder `weights`, after running the model
// once. Throws InputError as read_script_description and ScriptModel do.
Pin pin_script(const std::filesystem::path& description, const std::filesystem::path& weights);

// Copies label files, one per split, into the folder `weights`, after reading and checking all of
// each. Throws InputError if two are of one split, or their datasets or kinds differ.
Pin pin_labels(const std::vector<std::filesystem::path>& files,
               const std::filesystem::path& weights);

// The pinned label file of a split. Throws InputError saying what to do if no folder has it.
std::filesystem::path pinned_labels(const WeightFolders& folders, const std::string& sha256,
                                    const std::string& split);

}  // namespace remixer::labelcache
