// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/neighbours.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>

namespace remixer::kernels {

at::Tensor neighbours(int64_t height, int64_t width, int64_t kernel, at::Device device) {
  const auto options = at::TensorOptions().dtype(at::kLong).device(device);
  const at::Tensor offset = at::arange(kernel, options) - kernel / 2;
  const at::Tensor row = at::arange(height, options).view({height, 1}) + offset;   // [H, S]
  const at::Tensor column = at::arange(width, options).view({width, 1}) + offset;  // [W, S]
  const at::Tensor rows = row.view({height, 1, kernel, 1});
  const at::Tensor columns = column.view({1, width, 1, kernel});
  const at::Tensor outside = (rows < 0) | (rows >= height) | (columns < 0) | (columns >= width);
  const at::Tensor index = (rows * width + columns).masked_fill(outside, height * width);
  return index.view({height * width, kernel * kernel});
}

}  // namespace remixer::kernels
