// SPDX-License-Identifier: Apache-2.0
// Registers the operators under remixer::. They are composite: autograd, device support and shape
// inference follow from the operations they consist of.
#include <torch/library.h>

#include <string>

#include "core/kernels/launcher.h"
#include "core/kernels/operators.h"

namespace {

namespace kernels = remixer::kernels;

at::Tensor label_distance(const at::Tensor& y, c10::string_view metric) {
  return kernels::label_distance(y, std::string_view(metric.data(), metric.size()));
}

std::string kernel_trouble() {
  return kernels::launcher_trouble();
}

}  // namespace

TORCH_LIBRARY(remixer, library) {
  library.def("label_distance(Tensor y, str metric) -> Tensor", &label_distance);
  library.def(
      "masked_attention(Tensor q, Tensor k, Tensor v, Tensor distance, Tensor kappa, "
      "int prefix_tokens=0, float? scale=None) -> Tensor",
      &kernels::masked_attention);
  library.def(
      "masked_linear(Tensor x, Tensor weight, Tensor distance, Tensor kappa, "
      "bool complement=False) -> Tensor",
      &kernels::masked_linear);
  library.def(
      "masked_conv2d(Tensor x, Tensor weight, Tensor? bias, Tensor distance, Tensor kappa) -> "
      "Tensor",
      &kernels::masked_conv2d);
  // Why CUDA tensors are left to ATen; empty if the kernels are used.
  library.def("kernel_trouble() -> str", &kernel_trouble);
}
