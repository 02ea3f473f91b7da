// SPDX-License-Identifier: Apache-2.0
#include "labelcache/networks/weights.h"

#include "base/error.h"

namespace remixer::labelcache {
namespace {

io::Safetensors read(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) {
    fail_input("{}: the labeler's weights are missing; ./setup downloads and converts them",
               path.string());
  }
  return io::read_safetensors(path);
}

}  // namespace

NetworkWeights::NetworkWeights(const std::filesystem::path& path) : file_(read(path)) {
  const auto source = file_.metadata.find("source_sha256");
  if (source == file_.metadata.end()) {
    fail_input(
        "{}: does not say what it was converted from; convert it again "
        "(labelcache/weights/convert.py)",
        path.string());
  }
  source_sha256_ = source->second;
}

at::Tensor NetworkWeights::tensor(const std::string& name, at::IntArrayRef shape) const {
  const at::Tensor& tensor = file_.at(name);
  bool fits =
      tensor.scalar_type() == at::kFloat && tensor.dim() == static_cast<int64_t>(shape.size());
  for (size_t i = 0; fits && i < shape.size(); ++i) {
    fits = shape[i] == -1 || shape[i] == tensor.size(static_cast<int64_t>(i));
  }
  if (!fits) {
    fail_input(
        "{}: tensor {} is not of the network's shape; convert it again "
        "(labelcache/weights/convert.py)",
        file_.path.string(), name);
  }
  return tensor;
}

}  // namespace remixer::labelcache
