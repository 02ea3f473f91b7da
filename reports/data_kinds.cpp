// SPDX-License-Identifier: Apache-2.0
#include "reports/data_kinds.h"

#include <algorithm>

#include "base/file.h"
#include "experiments/spec/components.h"
#include "experiments/spec/imported.h"

namespace remixer::reports {

namespace {

std::string text_of(const Json& json, const char* field) {
  const auto found = json.find(field);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::vector<std::string> known_data_kinds() {
  std::vector<std::string> kinds;
  for (const auto& builder : experiments::dataset_builders()) kinds.push_back(builder.name);
  // The names that `remixer dataset import` uses.
  for (const char* set : {"background_challenge", "imagenet", "imagenet_9", "imagenetv2",
                          "imagenetv2_9", "real", "real_9", "rendition", "rendition_9", "stylized",
                          "stylized_9", "sketch", "sketch_9", "folder"}) {
    kinds.push_back(set);
  }
  return kinds;
}

DataKinds::DataKinds(const std::filesystem::path& workspace) {
  std::error_code none;
  for (std::filesystem::directory_iterator each(workspace / "datasets", none), end;
       !none && each != end; each.increment(none)) {
    const auto text = read_file_if_exists(each->path() / "manifest.json");
    if (!text) continue;
    const Json manifest = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
    if (!manifest.is_object() || !manifest.contains("made_by")) continue;
    try {
      made_by_[experiments::imported_spec(manifest).hash("manifest_sha256")] =
          manifest.at("made_by");
    } catch (const Json::exception&) {
      continue;  // a torn manifest: `remixer dataset list` reports it
    }
  }
}

std::string DataKinds::kind(const Json& entry, const std::string& called) const {
  const std::string builder = text_of(entry, "builder");
  if (builder != experiments::kImportedBuilder) return builder;
  const auto found = made_by_.find(text_of(entry, "manifest_sha256"));
  if (found != made_by_.end()) {
    const std::string set = text_of(found->second, "import");
    return set.empty() ? text_of(found->second, "builder") : set;
  }
  const std::string name = called.substr(0, called.find('/'));
  const std::vector<std::string> kinds = known_data_kinds();
  return std::find(kinds.begin(), kinds.end(), name) == kinds.end() ? std::string() : name;
}

bool DataKinds::is_papers(const Json& entry, const std::string& kind) const {
  if (kind == "imagenet") return true;
  if (kind != "imagenet9") return false;
  const auto found = made_by_.find(text_of(entry, "manifest_sha256"));
  if (found == made_by_.end() || !found->second.is_object()) return true;
  // With other image counts it is another training set.
  const auto published = experiments::make_dataset_spec("imagenet9");
  for (const char* field : {"train_per_class", "test_per_class", "balance"}) {
    const auto given = found->second.find(field);
    if (given != found->second.end() && *given != published.parameter(field)) return false;
  }
  return true;
}

}  // namespace remixer::reports
