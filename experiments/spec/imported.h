// SPDX-License-Identifier: Apache-2.0
// Imported data sets: how a grid finds them and how a cell identifies them. `remixer dataset
// import` and `build` put each into its own folder datasets/<id> of the workspace; its
// manifest.json (docs/datasets.md) holds the given name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "experiments/spec/component_spec.h"

namespace remixer::experiments {

inline constexpr const char* kImportedBuilder = "imported";
inline constexpr int64_t kImportedVersion = 1;

// "imported" with its "manifest_sha256": the dataset's spec in a cell. The hash covers the
// manifest's description of the content (classes and their order, sizes, normalisation, splits, the
// files' hash), but not its location or name.
DatasetSpec imported_spec(const Json& manifest);

// A dataset's names ("name") or its image folders ("root"), those of the last import first. The
// manifest holds the first as "name" or "root", more as "more_names" or "more_roots".
std::vector<std::string> manifest_list(const Json& manifest, const std::string& what);

struct ImportedDataset {
  DatasetSpec spec;                       // as imported_spec()
  int64_t image_size = 0;                 // pixels a side; 0: images vary in size
  std::vector<std::string> splits;        // all, "train" first
  std::map<std::string, int64_t> images;  // per split
};

// No data set of that name exists (yet).
class NoSuchDataset : public InputError {
 public:
  using InputError::InputError;
};

// The dataset called `name` in `workspace`. If there is none, throws NoSuchDataset with the known
// names and the command that imports one; InputError if there are several, or if its manifest is
// damaged.
ImportedDataset find_imported(const std::filesystem::path& workspace, const std::string& name);

// The folders below `workspace`/datasets whose manifest has the name `name`; usually one or none.
std::vector<std::filesystem::path> folders_named(const std::filesystem::path& workspace,
                                                 const std::string& name);

}  // namespace remixer::experiments
