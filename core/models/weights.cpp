// SPDX-License-Identifier: Apache-2.0
#include "core/models/weights.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/upsample_bicubic2d.h>

#include <cmath>

#include "base/error.h"
#include "core/io/torch_checkpoint.h"
#include "experiments/spec/architectures.h"

namespace remixer::models {
namespace {

constexpr const char* kPositions = "pos_embed";

std::vector<Model::NamedTensor> all_tensors(const Model& model) {
  std::vector<Model::NamedTensor> all = model.parameters();
  all.insert(all.end(), model.buffers().begin(), model.buffers().end());
  return all;
}

// The side of a square of `count` patches; 0 if `count` is not a square.
int64_t square_side(int64_t count) {
  const auto side = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(count))));
  return side * side == count ? side : 0;
}

// Position embeddings [1, prefix + n², C] resampled to `grid`² patches like timm: bicubic, prefix
// tokens ([CLS]) unchanged. Returned as is if the patches form no square.
at::Tensor resized_positions(const at::Tensor& theirs, int64_t prefix, int64_t grid) {
  if (theirs.dim() != 3 || theirs.size(0) != 1 || theirs.size(1) <= prefix) return theirs;
  const int64_t side = square_side(theirs.size(1) - prefix), width = theirs.size(2);
  if (side == 0 || side == grid || !theirs.is_floating_point()) return theirs;
  const at::Tensor planes = theirs.slice(1, prefix)
                                .to(at::kFloat)
                                .reshape({1, side, side, width})
                                .permute({0, 3, 1, 2})
                                .contiguous();
  const at::Tensor resized = at::upsample_bicubic2d(planes, {grid, grid}, /*align_corners=*/false)
                                 .permute({0, 2, 3, 1})
                                 .reshape({1, grid * grid, width});
  return at::cat({theirs.slice(1, 0, prefix).to(at::kFloat), resized}, 1);
}

// A few names, for messages.
std::string some_names(const io::Safetensors& file) {
  constexpr size_t kShown = 5;
  std::vector<std::string> names;
  for (const auto& [name, tensor] : file.tensors) {
    if (names.size() < kShown) names.push_back(name);
  }
  return fmt::format("{} tensors: {}{}", file.tensors.size(), fmt::join(names, ", "),
                     file.tensors.size() > kShown ? ", ..." : "");
}

// The file's tensor of this name; position embeddings are resampled to the model's image size.
at::Tensor find_tensor(const Model& model, const std::string& name, const at::Tensor& ours,
                       const io::Safetensors& file) {
  if (!file.has(name)) {
    fail_input("{}: has no tensor '{}', which the model needs; it holds {}", file.path.string(),
               name, some_names(file));
  }
  if (name != kPositions) return file.at(name);
  return resized_positions(file.at(name), ours.size(1) - model.grid() * model.grid(), model.grid());
}

void check_tensor(const std::string& name, const at::Tensor& ours, const at::Tensor& theirs,
                  const io::Safetensors& file) {
  const std::string path = file.path.string();
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
  all["image_size"] = std::to_string(model.spec().image_size);
  io::write_safetensors(path, all_tensors(model), all);
}

void load_weights(Model& model, const std::filesystem::path& path) {
  load_weights(model, io::read_weights(path));
}

void load_weights(Model& model, const io::Safetensors& file) {
  const auto ours = all_tensors(model);
  std::map<std::string, at::Tensor> found;
  for (const auto& [name, tensor] : ours) {
    const at::Tensor theirs = find_tensor(model, name, tensor, file);
    check_tensor(name, tensor, theirs, file);
    found[name] = theirs;
  }
  for (const auto& [name, tensor] : file.tensors) {
    const bool needless = std::string_view(name).ends_with(".num_batches_tracked") ||
                          (is_token_head(name) && model.spec().token_classes == 0);
    if (found.count(name) == 0 && !needless) {
      fail_input(
          "{}: tensor '{}' is none of the model's; is '{}' with spatial prior '{}' the file's "
          "architecture?",
          file.path.string(), name, model.spec().architecture, model.spec().spatial_prior);
    }
  }
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : ours) tensor.copy_(found.at(name));
}

// From the metadata, else the position embeddings, else the architecture.
static int64_t image_size_of(const io::Safetensors& file, const experiments::Architecture& known) {
  if (const auto size = file.metadata.find("image_size"); size != file.metadata.end()) {
    if (const int64_t value = std::strtoll(size->second.c_str(), nullptr, 10); value > 0)
      return value;
  }
  if (file.has(kPositions) && file.at(kPositions).dim() == 3) {
    const int64_t count = file.at(kPositions).size(1);
    for (const int64_t side : {square_side(count), square_side(count - 1)}) {
      if (side > 0) return side * known.patch;
    }
  }
  return known.image_size;
}

ModelSpec spec_of_weights(const io::Safetensors& file, const std::string& architecture) {
  const at::Tensor& head = file.at("head.weight");
  if (head.dim() != 2) fail_input("{}: tensor 'head.weight' must have 2 sizes", file.path.string());
  ModelSpec spec;
  spec.architecture = architecture;
  spec.num_classes = head.size(0);
  spec.image_size = image_size_of(file, experiments::find_architecture(architecture));
  if (const auto prior = file.metadata.find("spatial_prior"); prior != file.metadata.end()) {
    spec.spatial_prior = prior->second;
  }
  for (const auto& [name, tensor] : file.tensors) spec.remixer = spec.remixer || is_kappa(name);
  if (file.has("aux_head.weight")) spec.token_classes = file.at("aux_head.weight").size(0);
  return spec;
}

}  // namespace remixer::models
