// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/mask.h"

#include <ATen/TensorOperators.h>
#include <ATen/TensorSubclassLikeUtils.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>

#include "core/kernels/vector_math.h"

namespace remixer::kernels {

bool mask_is_one(const at::Tensor& kappa) {
  // Tracing uses stand-in tensors without values: those take the general path.
  if (at::GradMode::is_enabled() || !kappa.is_cpu() || at::isTensorSubclassLike(kappa))
    return false;
  return kappa.item<double>() == 0;
}

at::Tensor log_mask(const at::Tensor& distance, const at::Tensor& kappa) {
  settle_vector_math();
  return distance * kappa.reshape({}).neg().to(distance.scalar_type());
}

void check_mask(const char* op, const at::Tensor& distance, const at::Tensor& kappa,
                const at::Tensor& like, int64_t batch, int64_t patches) {
  TORCH_CHECK_VALUE(kappa.numel() == 1, op, ": kappa must have one element, not ", kappa.sizes());
  TORCH_CHECK_VALUE(kappa.is_floating_point(), op, ": kappa must be of a floating type, not ",
                    kappa.scalar_type());
  TORCH_CHECK_VALUE(kappa.device() == like.device() || (kappa.is_cpu() && kappa.dim() == 0), op,
                    ": kappa must be on ", like.device(), ", not on ", kappa.device());
  TORCH_CHECK_VALUE(distance.dim() == 3 && distance.size(0) == batch &&
                        distance.size(1) == patches && distance.size(2) == patches,
                    op, ": distance must be [", batch, ", ", patches, ", ", patches, "], not ",
                    distance.sizes());
  TORCH_CHECK_VALUE(distance.is_floating_point(), op, ": distance must be of a floating type, not ",
                    distance.scalar_type());
  TORCH_CHECK_VALUE(distance.device() == like.device(), op, ": distance must be on ", like.device(),
                    ", not on ", distance.device());
}

void check_alike(const char* op, const char* name, const at::Tensor& tensor, const char* like_name,
                 const at::Tensor& like) {
  TORCH_CHECK_VALUE(like.is_floating_point(), op, ": ", like_name,
                    " must be of a floating type, not ", like.scalar_type());
  TORCH_CHECK_VALUE(tensor.device() == like.device(), op, ": ", name, " must be on ", like.device(),
                    " as ", like_name, " is, not on ", tensor.device());
  const auto device = like.device().type();
  const bool free = tensor.scalar_type() == like.scalar_type() ||
                    (tensor.is_floating_point() && at::autocast::is_autocast_available(device) &&
                     at::autocast::is_autocast_enabled(device));
  TORCH_CHECK_VALUE(free, op, ": ", name, " must be ", like.scalar_type(), " as ", like_name,
                    " is, not ", tensor.scalar_type());
}

}  // namespace remixer::kernels
