#include <ATen/ops/bmm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros_like.h>

#include "core/kernels/mask.h"
#include "core/kernels/operators.h"

namespace remixer::kernels {

at::Tensor masked_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& distance,
                         const at::Tensor& kappa, bool complement) {
  TORCH_CHECK(x.dim() == 3, "x must be [B, N, C], not ", x.sizes());
  const int64_t patches = x.size(1);
  TORCH_CHECK(weight.dim() == 2 && weight.size(0) == patches && weight.size(1) == patches,
              "weight must be [", patches, ", ", patches, "], not ", weight.sizes());
  check_mask(distance, kappa, x.size(0), patches);

  if (mask_is_one(kappa)) return complement ? at::zeros_like(x) : at::matmul(weight, x);
  const at::Tensor exponent = log_mask(distance, kappa);
  // 1 - exp(-κ d) by expm1: exact where κ is still small.
  if (complement) return at::bmm(exponent.expm1() * weight.neg(), x);
  return at::bmm(exponent.exp() * weight, x);
}

}  // namespace remixer::kernels
