// SPDX-License-Identifier: Apache-2.0
#include "labelcache/labelers/labeler.h"

#include "base/error.h"
#include "experiments/spec/components.h"
#include "experiments/spec/pins.h"
#include "labelcache/labelers/labelers.h"

namespace remixer::labelcache {
namespace {

// Throws unless `entry` is, to the letter, what this program's labeler of that name runs.
void check_entry(const Json& entry) {
  if (!entry.is_object() || !entry.contains("name") || !entry["name"].is_string()) {
    fail_input("a labeler's description must name it, got {}", entry.dump());
  }
  const experiments::Labeler& labeler = experiments::find_labeler(entry["name"].get<std::string>());
  Json parameters = entry;
  for (const char* fixed : {"name", "version"}) parameters.erase(fixed);
  if (labeler.pin.empty()) parameters.erase("weights_sha256");
  const Json known = experiments::labeler_entry(labeler.name, parameters);
  if (entry != known) {
    fail_input("labels are asked for by {}, this program's labeler is {}", entry.dump(),
               known.dump());
  }
}

template <typename Made>
std::unique_ptr<Labeler> held(Made labeler) {
  return std::make_unique<Made>(std::move(labeler));
}

std::unique_ptr<Labeler> create(const Json& entry, const WeightFolders& folders) {
  const std::filesystem::path& weights = folders.installed;
  const std::string name = entry["name"];
  const auto parameter = [&](const char* key) { return entry.at(key).get<int64_t>(); };
  const auto pinned = [&](const char* kind, const char* extension) {
    const auto file = own_weights(folders, kind, entry.at("weights_sha256"), extension);
    if (std::filesystem::exists(file)) return file;
    fail_input("{}: the weights of labeler '{}' are missing; {}", file.string(), name,
               experiments::pin_advice(name, name).command);
  };
  const bool nine = entry.value("classes", int64_t{1000}) == 9;
  const bool lanczos = entry.value("lanczos", int64_t{0}) == 1;
  if (name == "saliency") {
    return held(u2net_labeler(parameter("input_size"), lanczos, weights / "u2netp.safetensors"));
  }
  if (name == "u2net") {
    return held(u2net_labeler(parameter("input_size"), lanczos, pinned("u2net", ".safetensors")));
  }
  if (name == "bigbigan") {
    return held(bigbigan_labeler(parameter("short_edge"), parameter("threshold"),
                                 entry.value("unit_range", int64_t{0}) == 1,
                                 pinned("bigbigan", ".safetensors")));
  }
  if (name == "relabel") {
    return held(efficientnet_labeler(parameter("input_size"), parameter("top_k"), nine,
                                     weights / "efficientnet_lite0.safetensors"));
  }
  if (name == "script_saliency") {
    return held(script_saliency_labeler(read_script_description(pinned("script", ".toml"))));
  }
  if (name == "script_relabel") {
    return held(script_relabel_labeler(read_script_description(pinned("script", ".toml")),
                                       parameter("top_k"), nine));
  }
  if (name == "bbox_grabcut") return held(BboxGrabcutLabeler(parameter("scale")));
  if (name == "masks") return std::make_unique<MaskLabeler>();
  fail("labeler '{}' is listed but this program cannot run it", name);
}

}  // namespace

std::filesystem::path own_weights(const WeightFolders& folders, const std::string& name,
                                  const std::string& sha256, const std::string& extension) {
  const auto pinned = experiments::pinned_file(
      folders.pinned.empty() ? folders.installed : folders.pinned, name, sha256, extension);
  if (std::filesystem::exists(pinned)) return pinned;
  const auto installed = experiments::pinned_file(folders.installed, name, sha256, extension);
  return std::filesystem::exists(installed) ? installed : pinned;
}

std::unique_ptr<Labeler> make_labeler(const Json& entry, const WeightFolders& folders) {
  check_entry(entry);
  auto labeler = create(entry, folders);
  const std::string pinned = entry.value("weights_sha256", std::string());
  if (labeler->weights_sha256() != pinned) {
    fail_input(
        "weights in {}: made from a file with SHA-256 {}, the labeler is pinned to {}; convert or "
        "pin the right ones again",
        (folders.pinned.empty() ? folders.installed : folders.pinned).string(),
        labeler->weights_sha256(), pinned);
  }
  return labeler;
}

}  // namespace remixer::labelcache
