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

// Location of Debian's data packages: /usr/share, unless the build sets another.
constexpr const char* kGarmentFolder = REMIXER_SYSTEM_DATA "/datasets/fashion-mnist";
constexpr const char* kPhotographFolder = REMIXER_SYSTEM_DATA "/backgrounds";

// Throws unless `spec` is exactly what this version's builder of that name makes.
void check_spec(const experiments::DatasetSpec& spec) {
  const auto known = experiments::make_dataset_spec(spec.name, spec.parameters);
  if (spec.version != known.version) {
    fail_input("builder {} is of version {} here, {} is asked for", spec.name, known.version,
               spec.version);
  }
  if (spec != known) {
    fail_input("builder {} makes {}, {} is asked for", spec.name, write_value(known).dump(),
               write_value(spec).dump());
  }
}

}  // namespace

void build_dataset(const experiments::DatasetSpec& spec, const std::filesystem::path& folder,
                   const std::function<void(int64_t done, int64_t total)>& on_progress) {
  check_spec(spec);
  if (experiments::find_dataset_builder(spec.name).from_own_files) {
    fail_input("{} is built from your own files: `remixer dataset build {} --from FOLDER` does it",
               spec.name, spec.name);
  }
  if (spec.name != "fashion-bg") fail("builder {} is listed but has no code", spec.name);
  if (std::filesystem::exists(folder)) {
    fail_input("{} exists already; name another folder or remove it", folder.string());
  }
  const FashionSources sources = load_fashion_sources(kGarmentFolder, kPhotographFolder, 0);
  build_fashion_bg(spec, sources, folder, 0, on_progress);
}

void check_imported(const experiments::DatasetSpec& spec, const std::filesystem::path& folder) {
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
  if (experiments::imported_spec(manifest) != spec) {
    fail_input(
        "{}: its manifest is of another dataset than the one that the grid was submitted "
        "with; import that again",
        folder.string());
  }
}

}  // namespace remixer::data
