// SPDX-License-Identifier: Apache-2.0
// Helpers shared by the fused operators.
#pragma once

#include <ATen/TensorSubclassLikeUtils.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include "core/kernels/launcher.h"

namespace remixer::kernels {

// True if `x` has a type that the kernels take, is on a device with a launcher, and is not empty.
inline bool fused_kernels_take(const at::Tensor& x) {
  // Check for tracing first: a stand-in tensor's sizes may not be numbers.
  return (x.scalar_type() == at::kBFloat16 || x.scalar_type() == at::kHalf) &&
         !at::isTensorSubclassLike(x) && launcher_for(x.device()) != nullptr && x.numel() > 0;
}

inline device::Element element_of(const at::Tensor& x) {
  return x.scalar_type() == at::kHalf ? device::Element::kHalf : device::Element::kBFloat16;
}

// 16-bit pointers are passed as bfloat16, whatever their real type.
inline device::BFloat16* elements(const at::Tensor& x) {
  return static_cast<device::BFloat16*>(x.data_ptr());
}
inline const device::BFloat16* const_elements(const at::Tensor& x) {
  return static_cast<const device::BFloat16*>(x.const_data_ptr());
}

inline at::Tensor new_floats(const at::Tensor& like, at::IntArrayRef shape) {
  return at::empty(shape, like.options().dtype(at::kFloat).memory_format(std::nullopt));
}

// The distance in a form that kernels take: dense, of x's type or float.
inline at::Tensor kernel_distance(const at::Tensor& distance, const at::Tensor& x) {
  const bool kept = distance.scalar_type() == x.scalar_type();
  return distance.to(kept ? x.scalar_type() : at::kFloat).contiguous();
}

// kappa as one float on x's device.
inline at::Tensor kernel_kappa(const at::Tensor& kappa, const at::Tensor& x) {
  return kappa.reshape({1}).to(x.device(), at::kFloat);
}

// Adds partial sums in double.
inline at::Tensor add_parts(const at::Tensor& parts, const at::Tensor& like) {
  return parts.sum(at::kDouble).to(like.device(), like.scalar_type()).reshape(like.sizes());
}

}  // namespace remixer::kernels
