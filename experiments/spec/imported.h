// SPDX-License-Identifier: Apache-2.0
// Imported data sets: how a grid finds them and how a cell identifies them. `remixer dataset
// import` and `build` put them into the workspace, each in a folder datasets/<id> whose
// manifest.json (docs/datasets.md) holds the name that it was given.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace remixer::experiments {

inline constexpr const char* kImportedBuilder = "imported";
inline constexpr int64_t kImportedVersion = 1;

// {"builder": "imported", "version", "manifest_sha256"}: what stands for the dataset in a cell. The
// hash is over what the manifest says of the content (classes and their order, sizes,
// normalisation, splits, the files' hash) and not over where it is or what it is called.
Json imported_entry(const Json& manifest);

// A dataset's names ("name") or the folders where its images are ("root"), those of the last import
// first. The manifest holds the first as "name" or "root", more as "more_names" or "more_roots".
std::vector<std::string> manifest_list(const Json& manifest, const std::string& what);

struct ImportedDataset {
  Json entry;                             // as imported_entry
  int64_t image_size = 0;                 // pixels a side; 0: of many sizes
  std::vector<std::string> splits;        // all, "train" first
  std::map<std::string, int64_t> images;  // in each
};

// There is none of that name (yet).
class NoSuchDataset : public InputError {
 public:
  using InputError::InputError;
};

// The dataset called `name` in `workspace`. Throws NoSuchDataset where there is none, with the
// names that there are and the command that imports one.
ImportedDataset find_imported(const std::filesystem::path& workspace, const std::string& name);

// The folders below `workspace`/datasets whose manifest carries `name`; normally one or none.
std::vector<std::filesystem::path> folders_named(const std::filesystem::path& workspace,
                                                 const std::string& name);

}  // namespace remixer::experiments
