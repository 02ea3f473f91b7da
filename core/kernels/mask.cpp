#include "core/kernels/mask.h"

#include <ATen/TensorSubclassLikeUtils.h>
#include <ATen/core/grad_mode.h>

namespace remixer::kernels {

bool mask_is_one(const at::Tensor& kappa) {
  // Tracing stands tensors in whose values are not known: those take the general path.
  if (at::GradMode::is_enabled() || !kappa.is_cpu() || at::isTensorSubclassLike(kappa))
    return false;
  return kappa.item<double>() == 0;
}

at::Tensor log_mask(const at::Tensor& distance, const at::Tensor& kappa) {
  return distance * kappa.reshape({}).neg().to(distance.scalar_type());
}

void check_mask(const at::Tensor& distance, const at::Tensor& kappa, int64_t batch,
                int64_t patches) {
  TORCH_CHECK(kappa.numel() == 1, "kappa must have one element, not ", kappa.numel());
  TORCH_CHECK(distance.dim() == 3 && distance.size(0) == batch && distance.size(1) == patches &&
                  distance.size(2) == patches,
              "distance must be [", batch, ", ", patches, ", ", patches, "], not ",
              distance.sizes());
}

}  // namespace remixer::kernels
