// SPDX-License-Identifier: Apache-2.0
// Which tensors the loops for CPUs take.
#pragma once

#include <ATen/TensorSubclassLikeUtils.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <initializer_list>

namespace remixer::kernels {

// True for plain tensors on a CPU, all float or all double, the first with at least one element.
// Tracing and transforms use stand-ins, which are not plain: they take ATen's operations.
inline bool cpu_loops_take(std::initializer_list<at::Tensor> tensors) {
  // The kind of tensor first: a stand-in's sizes may not be numbers.
  for (const at::Tensor& tensor : tensors) {
    if (at::isTensorSubclassLike(tensor) || !tensor.is_cpu()) return false;
  }
  const at::ScalarType type = tensors.begin()->scalar_type();
  for (const at::Tensor& tensor : tensors) {
    if (tensor.scalar_type() != type) return false;
  }
  return (type == at::kFloat || type == at::kDouble) && tensors.begin()->numel() > 0;
}

// The sum of `parts`, doubles on a CPU, in their order, as one number of the shape and type of
// `like`: for any number of threads the same.
inline at::Tensor sum_in_order(const at::Tensor& parts, const at::Tensor& like) {
  double sum = 0;
  for (int64_t i = 0; i < parts.numel(); ++i) sum += parts.const_data_ptr<double>()[i];
  return at::empty(like.sizes(), like.options()).fill_(sum);
}

// For a backward pass whose own derivative nobody wrote: throws if it is asked for.
inline void refuse_second_derivative(const char* name) {
  TORCH_CHECK(!at::GradMode::is_enabled(), name,
              " is differentiable once on a CPU: a gradient of its gradient (create_graph) is not "
              "known");
}

// True if autocast chooses the type of products on a CPU: loops that contain one leave it to ATen.
inline bool autocast_on_cpu() {
  return at::autocast::is_autocast_enabled(at::kCPU);
}

}  // namespace remixer::kernels
