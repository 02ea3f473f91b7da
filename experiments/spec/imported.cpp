// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/imported.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "base/nearest_name.h"

namespace remixer::experiments {

namespace {

// The manifests of a workspace, by folder. Skips folders that hold no dataset: `remixer dataset
// list` reports them.
std::map<fs::path, Json> manifests(const fs::path& workspace) {
  std::map<fs::path, Json> found;
  const fs::path datasets = workspace / "datasets";
  if (!fs::is_directory(datasets)) return found;
  for (const auto& entry : fs::directory_iterator(datasets)) {
    if (!entry.is_directory() || entry.path().filename().string()[0] == '.') continue;
    const auto text = read_file_if_exists(entry.path() / "manifest.json");
    if (!text) continue;
    Json manifest = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
    if (manifest.is_object()) found.emplace(entry.path(), std::move(manifest));
  }
  return found;
}

bool is_named(const Json& manifest, const std::string& name) {
  const auto names = manifest_list(manifest, "name");
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

DatasetSpec imported_spec(const Json& manifest) {
  Json content = Json::object();
  for (const char* field :
       {"classes", "image_size", "mean", "deviation", "splits", "content_sha256"}) {
    content[field] = manifest.at(field);
  }
  DatasetSpec spec;
  spec.name = kImportedBuilder;
  spec.version = kImportedVersion;
  spec.hashes["manifest_sha256"] = content_id(content);
  return spec;
}

std::vector<std::string> manifest_list(const Json& manifest, const std::string& what) {
  std::vector<std::string> list;
  const auto first = manifest.find(what);
  if (first != manifest.end() && first->is_string()) list.push_back(first->get<std::string>());
  const auto more = manifest.find(fmt::format("more_{}s", what));
  if (more == manifest.end() || !more->is_array()) return list;
  for (const Json& value : *more) {
    if (value.is_string()) list.push_back(value.get<std::string>());
  }
  return list;
}

ImportedDataset find_imported(const fs::path& workspace, const std::string& name) {
  const auto all = manifests(workspace);
  std::vector<std::string> names;
  std::vector<const Json*> found;
  for (const auto& [folder, manifest] : all) {
    if (is_named(manifest, name)) found.push_back(&manifest);
    for (std::string& known : manifest_list(manifest, "name")) names.push_back(std::move(known));
  }
  if (found.empty()) {
    throw NoSuchDataset(fmt::format(
        "{} in the workspace {}; `remixer dataset build` or `remixer dataset import` makes one",
        names.empty() ? fmt::format("no dataset '{}'", name)
                      : unknown_name("imported dataset", name, names),
        workspace.string()));
  }
  if (found.size() > 1) {
    fail_input(
        "{} datasets of the workspace {} are called '{}'; remove all but one (`remixer "
        "dataset list --workspace {}` shows them)",
        found.size(), workspace.string(), name, workspace.string());
  }
  const Json& manifest = *found.front();
  ImportedDataset dataset;
  try {
    dataset.spec = imported_spec(manifest);
    dataset.image_size = manifest.at("image_size").get<int64_t>();
    for (const auto& [split, count] : manifest.at("splits").items()) {
      dataset.splits.push_back(split);
      dataset.images[split] = count.get<int64_t>();
    }
  } catch (const Json::exception&) {
    fail_input("the manifest of dataset '{}' in the workspace {} is torn; import it again", name,
               workspace.string());
  }
  std::stable_partition(dataset.splits.begin(), dataset.splits.end(),
                        [](const std::string& split) { return split == "train"; });
  return dataset;
}

std::vector<fs::path> folders_named(const fs::path& workspace, const std::string& name) {
  std::vector<fs::path> folders;
  for (const auto& [folder, manifest] : manifests(workspace)) {
    if (is_named(manifest, name)) folders.push_back(folder);
  }
  return folders;
}

}  // namespace remixer::experiments
