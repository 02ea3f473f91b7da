// SPDX-License-Identifier: Apache-2.0
#include "core/builders/builder.h"

#include "base/error.h"
#include "base/file.h"
#include "core/builders/fashion_bg.h"
#include "core/dataset/dataset.h"
#include "core/dataset/file_stamps.h"
#include "core/dataset/verify.h"
#include "experiments/spec/components.h"
#include "experiments/spec/imported.h"

namespace remixer::data {

namespace {

// Where Debian's packages of data are: /usr/share, unless the build says otherwise.
constexpr const char* kGarmentFolder = REMIXER_SYSTEM_DATA "/datasets/fashion-mnist";
constexpr const char* kPhotographFolder = REMIXER_SYSTEM_DATA "/backgrounds";

// The spec with every parameter, checked; its builder and version are ones that this program knows.
Json complete(const Json& spec) {
  if (!spec.is_object() || !spec.contains("builder") || !spec["builder"].is_string()) {
    fail_input("a dataset is described by {{\"builder\": NAME, parameters...}}, not by {}",
               spec.dump());
  }
  Json parameters = spec;
  parameters.erase("builder");
  parameters.erase("version");
  Json entry = experiments::dataset_entry(spec["builder"].get<std::string>(), parameters);
  if (spec.contains("version") && spec["version"] != entry["version"]) {
    fail_input("builder {} is of version {} here, {} is asked for", spec["builder"].dump(),
               entry["version"].dump(), spec["version"].dump());
  }
  return entry;
}

}  // namespace

void build_dataset(const Json& spec, const std::filesystem::path& folder,
                   const std::function<void(int64_t done, int64_t total)>& on_progress) {
  const Json entry = complete(spec);
  if (experiments::find_dataset_builder(entry["builder"].get<std::string>()).from_own_files) {
    fail_input("{} is built from your own files: `remixer dataset build {} --from FOLDER` does it",
               entry["builder"].get<std::string>(), entry["builder"].get<std::string>());
  }
  if (entry["builder"] != "fashion-bg") {
    fail("builder {} is listed but has no code", entry["builder"].dump());
  }
  if (std::filesystem::exists(folder)) {
    fail_input("{} exists already; name another folder or remove it", folder.string());
  }
  const FashionSources sources = load_fashion_sources(kGarmentFolder, kPhotographFolder, 0);
  build_fashion_bg(entry, sources, folder, 0, on_progress);
}

void check_imported(const Json& spec, const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "manifest.json")) {
    fail_input(
        "{}: the imported dataset that the grid was submitted with is gone; import it again "
        "(`remixer dataset import`), which restores it if the images are the same",
        folder.string());
  }
  for (const std::string& split : dataset_splits(folder)) {
    const Dataset dataset = Dataset::open(folder, split);
    if (dataset.samples().empty()) continue;
    const auto image = dataset.image_path(dataset.samples().front());
    if (!look_at(image)) {
      fail_input(
          "{}: the images of this imported dataset are not at {} any more (no {}); put them "
          "back, or import them from where they are now",
          folder.string(), dataset.root().string(), image.string());
    }
  }
  for (const std::string& split : dataset_splits(folder)) {
    check_files(Dataset::open(folder, split));
  }
  const auto manifest = Json::parse(read_file(folder / "manifest.json"));
  if (experiments::imported_entry(manifest) != spec) {
    fail_input(
        "{}: its manifest is of another dataset than the one that the grid was submitted "
        "with; import that again",
        folder.string());
  }
}

}  // namespace remixer::data
