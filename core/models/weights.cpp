#include "core/models/weights.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>

#include <set>

#include "core/base/error.h"
#include "core/models/registry.h"

namespace remixer::models {
namespace {

std::vector<Model::NamedTensor> all_tensors(const Model& model) {
  std::vector<Model::NamedTensor> all = model.parameters();
  all.insert(all.end(), model.buffers().begin(), model.buffers().end());
  return all;
}

void check_tensor(const std::string& name, const at::Tensor& ours, const io::Safetensors& file) {
  const std::string path = file.path.string();
  if (!file.has(name)) {
    fail_input("{}: has no tensor '{}', which the model needs", path, name);
  }
  const at::Tensor& theirs = file.at(name);
  if (theirs.sizes() != ours.sizes()) {
    fail_input(
        "{}: tensor '{}' is {}, the model's is {}; are architecture, classes and image size "
        "the file's?",
        path, name, c10::str(theirs.sizes()), c10::str(ours.sizes()));
  }
  if (!theirs.is_floating_point()) {
    fail_input("{}: tensor '{}' is {}, not of a floating type", path, name,
               c10::toString(theirs.scalar_type()));
  }
  if (!at::isfinite(theirs).all().item<bool>()) {
    fail_input("{}: tensor '{}' holds values that are not finite", path, name);
  }
}

}  // namespace

void save_weights(const Model& model, const std::filesystem::path& path,
                  const std::map<std::string, std::string>& metadata) {
  std::map<std::string, std::string> all = metadata;
  all["format"] = "pt";
  all["architecture"] = model.spec().architecture;
  all["spatial_prior"] = model.spec().spatial_prior;
  io::write_safetensors(path, all_tensors(model), all);
}

void load_weights(Model& model, const std::filesystem::path& path) {
  load_weights(model, io::read_safetensors(path));
}

void load_weights(Model& model, const io::Safetensors& file) {
  const auto ours = all_tensors(model);
  std::set<std::string> names;
  for (const auto& [name, tensor] : ours) {
    check_tensor(name, tensor, file);
    names.insert(name);
  }
  for (const auto& [name, tensor] : file.tensors) {
    const bool needless = std::string_view(name).ends_with(".num_batches_tracked") ||
                          (is_token_head(name) && model.spec().token_classes == 0);
    if (names.count(name) == 0 && !needless) {
      fail_input(
          "{}: tensor '{}' is none of the model's; is '{}' with spatial prior '{}' the file's "
          "architecture?",
          file.path.string(), name, model.spec().architecture, model.spec().spatial_prior);
    }
  }
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : ours) tensor.copy_(file.at(name));
}

ModelSpec spec_of_weights(const io::Safetensors& file, const std::string& architecture) {
  const at::Tensor& head = file.at("head.weight");
  if (head.dim() != 2) fail_input("{}: tensor 'head.weight' must have 2 sizes", file.path.string());
  ModelSpec spec;
  spec.architecture = architecture;
  spec.num_classes = head.size(0);
  spec.image_size = find_architecture(architecture).image_size;
  if (const auto prior = file.metadata.find("spatial_prior"); prior != file.metadata.end()) {
    spec.spatial_prior = prior->second;
  }
  for (const auto& [name, tensor] : file.tensors) spec.remixer = spec.remixer || is_kappa(name);
  if (file.has("aux_head.weight")) spec.token_classes = file.at("aux_head.weight").size(0);
  return spec;
}

}  // namespace remixer::models
