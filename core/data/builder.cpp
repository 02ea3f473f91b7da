#include "core/data/builder.h"

#include "core/base/error.h"
#include "core/data/fashion_bg.h"
#include "experiments/components.h"

namespace remixer::data {

namespace {

constexpr const char* kGarmentFolder = "/usr/share/datasets/fashion-mnist";
constexpr const char* kPhotographFolder = "/usr/share/backgrounds";

// The spec with every parameter, checked; its builder and version are ones that this program knows.
experiments::Json complete(const experiments::Json& spec) {
  if (!spec.is_object() || !spec.contains("builder") || !spec["builder"].is_string()) {
    fail_input("a dataset is described by {{\"builder\": NAME, parameters...}}, not by {}",
               spec.dump());
  }
  experiments::Json parameters = spec;
  parameters.erase("builder");
  parameters.erase("version");
  experiments::Json entry =
      experiments::dataset_entry(spec["builder"].get<std::string>(), parameters);
  if (spec.contains("version") && spec["version"] != entry["version"]) {
    fail_input("builder {} is of version {} here, {} is asked for", spec["builder"].dump(),
               entry["version"].dump(), spec["version"].dump());
  }
  return entry;
}

}  // namespace

void build_dataset(const experiments::Json& spec, const std::filesystem::path& folder,
                   const std::function<void(int64_t done, int64_t total)>& on_progress) {
  const experiments::Json entry = complete(spec);
  if (entry["builder"] != "fashion-bg") {
    fail("builder {} is listed but has no code", entry["builder"].dump());
  }
  if (std::filesystem::exists(folder)) {
    fail_input("{} exists already; name another folder or remove it", folder.string());
  }
  const FashionSources sources = load_fashion_sources(kGarmentFolder, kPhotographFolder, 0);
  build_fashion_bg(entry, sources, folder, 0, on_progress);
}

}  // namespace remixer::data
