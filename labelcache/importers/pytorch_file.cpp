// SPDX-License-Identifier: Apache-2.0
// Reads label maps in PyTorch's zip format.
#include <ATen/core/ivalue.h>
#include <ATen/ops/to.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include <cmath>

#include "base/error.h"
#include "base/file.h"
#include "labelcache/importers/label_import.h"

namespace remixer::labelcache {
namespace {

at::Tensor read_tensor(const std::filesystem::path& file) {
  const std::string bytes = read_file(file), name = file.string();
  if (bytes.empty()) fail_input("{} is empty; fetch it again", name);
  if (!bytes.starts_with("PK")) {
    fail_input(
        "{}: not in PyTorch's zip format; a file that PyTorch before 1.6 wrote is brought up to "
        "date by torch.save(torch.load(FILE), FILE)",
        name);
  }
  try {
    const c10::IValue value = torch::jit::pickle_load({bytes.begin(), bytes.end()});
    if (value.isTensor()) return value.toTensor();
  } catch (const std::exception&) {
    fail_input("{}: torn, or not what torch.save writes of a tensor; fetch it again", name);
  }
  fail_input("{}: holds something else than one tensor", name);
}

}  // namespace

data::LabelMap read_pytorch_map(const std::filesystem::path& file, int64_t classes) {
  const at::Tensor tensor = read_tensor(file);
  const std::string name = file.string();
  if (tensor.dim() != 4 || tensor.size(0) != 2 || tensor.numel() == 0 ||
      !tensor.is_floating_point()) {
    fail_input(
        "{}: holds a tensor of {} of type {}, a label map is floats of [2, k, height, width]", name,
        fmt::format("[{}]", fmt::join(tensor.sizes(), ", ")), c10::toString(tensor.scalar_type()));
  }
  const int64_t top_k = tensor.size(1), height = tensor.size(2), width = tensor.size(3);
  if (height > 32767 || width > 32767 || top_k > classes) {
    fail_input("{}: a map of {} classes a cell on {} × {} cells is not possible", name, top_k,
               height, width);
  }
  // Cell by cell, with ranks innermost.
  const at::Tensor cells = tensor.to(at::kFloat).permute({0, 2, 3, 1}).contiguous();
  const float* values = cells.const_data_ptr<float>();
  const float* labels = values + cells.numel() / 2;
  data::LabelMap map;
  map.height = static_cast<int>(height);
  map.width = static_cast<int>(width);
  map.channels = static_cast<int>(classes);
  map.top_k = static_cast<int>(top_k);
  for (int64_t i = 0; i < cells.numel() / 2; ++i) {
    if (!std::isfinite(values[i]) || std::abs(values[i]) > 65504) {
      fail_input("{}: holds the logit {}, which float16 cannot", name, values[i]);
    }
    if (!(labels[i] >= 0) || labels[i] >= static_cast<float>(classes) ||
        labels[i] != std::floor(labels[i])) {
      fail_input("{}: names class {} of {}", name, labels[i], classes);
    }
    map.values.push_back(values[i]);
    map.indices.push_back(static_cast<uint16_t>(labels[i]));
  }
  return map;
}

}  // namespace remixer::labelcache
