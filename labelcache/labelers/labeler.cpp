// SPDX-License-Identifier: Apache-2.0
#include "labelcache/labelers/labeler.h"

#include "base/error.h"
#include "experiments/spec/components.h"
#include "experiments/spec/pins.h"
#include "labelcache/labelers/labelers.h"

namespace remixer::labelcache {

using experiments::LabelerSpec;

namespace {

// Throws unless `spec` is exactly what this version's labeler of that name runs.
void check_spec(const LabelerSpec& spec) {
  const experiments::Labeler& labeler = experiments::find_labeler(spec.name);
  Json overrides = spec.parameters;
  if (!labeler.pin.empty() && spec.hashes.contains(labeler.pin)) {
    overrides[labeler.pin] = spec.hash(labeler.pin);
  }
  const LabelerSpec known = experiments::make_labeler_spec(labeler.name, overrides);
  if (spec != known) {
    fail_input("labels are asked for by {}, this program's labeler is {}", write_value(spec).dump(),
               write_value(known).dump());
  }
}

template <typename Made>
std::unique_ptr<Labeler> held(Made labeler) {
  return std::make_unique<Made>(std::move(labeler));
}

std::unique_ptr<Labeler> create(const LabelerSpec& spec, const WeightFolders& folders,
                                at::Device device) {
  const std::filesystem::path& weights = folders.installed;
  const std::string& name = spec.name;
  const auto parameter = [&](const char* key) { return spec.parameter(key); };
  const auto pinned = [&](const char* kind, const char* extension) {
    const auto file = own_weights(folders, kind, spec.hash("weights_sha256"), extension);
    if (std::filesystem::exists(file)) return file;
    fail_input("{}: the weights of labeler '{}' are missing; {}", file.string(), name,
               experiments::pin_advice(name, name).command);
  };
  const bool nine = spec.parameter("classes", 1000) == 9;
  const bool lanczos = spec.parameter("lanczos", 0) == 1;
  if (name == "saliency") {
    return held(
        u2net_labeler(parameter("input_size"), lanczos, weights / "u2netp.safetensors", device));
  }
  if (name == "u2net") {
    return held(
        u2net_labeler(parameter("input_size"), lanczos, pinned("u2net", ".safetensors"), device));
  }
  if (name == "bigbigan") {
    return held(bigbigan_labeler(parameter("short_edge"), parameter("threshold"),
                                 spec.parameter("unit_range", 0) == 1,
                                 pinned("bigbigan", ".safetensors"), device));
  }
  if (name == "relabel") {
    return held(efficientnet_labeler(parameter("input_size"), parameter("top_k"), nine,
                                     weights / "efficientnet_lite0.safetensors", device));
  }
  if (name == "script_saliency") {
    return held(
        script_saliency_labeler(read_script_description(pinned("script", ".toml")), device));
  }
  if (name == "script_relabel") {
    return held(script_relabel_labeler(read_script_description(pinned("script", ".toml")),
                                       parameter("top_k"), nine, device));
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

std::unique_ptr<Labeler> make_labeler(const LabelerSpec& spec, const WeightFolders& folders,
                                      at::Device device) {
  check_spec(spec);
  auto labeler = create(spec, folders, device);
  const std::string pinned = spec.hash("weights_sha256");
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
