// SPDX-License-Identifier: Apache-2.0
// Registers user weights by hash: TorchScript networks and sets of maps.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "labelcache/labelers/labeler.h"

namespace remixer::labelcache {

// What a grid writes to name it: [labeler.NAME] with these lines.
struct Pin {
  std::string kind;  // the labeler
  std::string key;   // "weights_sha256" or "labels_sha256"
  std::string sha256;
};

// Copies what weights/convert.py made of a published file (bigbigan-*.safetensors or
// u2net-*.safetensors) into the folder `weights`, after loading it. Throws InputError where it is
// none.
Pin pin_network(const std::filesystem::path& file, const std::filesystem::path& weights);

// Copies a description and its TorchScript model into the folder `weights`, after running the model
// once. Throws InputError as read_script_description and ScriptModel do.
Pin pin_script(const std::filesystem::path& description, const std::filesystem::path& weights);

// Copies label files, one a split, into the folder `weights`, each read and checked whole. Throws
// InputError where two are of one split or they are of different datasets or kinds.
Pin pin_labels(const std::vector<std::filesystem::path>& files,
               const std::filesystem::path& weights);

// The pinned label file of a split. Throws InputError where no folder has it, saying what to do.
std::filesystem::path pinned_labels(const WeightFolders& folders, const std::string& sha256,
                                    const std::string& split);

}  // namespace remixer::labelcache
