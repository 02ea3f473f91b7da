// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros_like.h>

#include "core/kernels/fused_choice.h"
#include "core/kernels/fused_mixing.h"
#include "core/kernels/mask.h"
#include "core/kernels/operators.h"

namespace remixer::kernels {

at::Tensor masked_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& distance,
                         const at::Tensor& kappa, bool complement) {
  constexpr const char* kName = "masked_linear";
  TORCH_CHECK_VALUE(x.dim() == 3, kName, ": x must be [B, N, C], not ", x.sizes());
  const int64_t patches = x.size(1);
  TORCH_CHECK_VALUE(weight.dim() == 2 && weight.size(0) == patches && weight.size(1) == patches,
                    kName, ": weight must be [", patches, ", ", patches,
                    "], the patches of x, not ", weight.sizes());
  check_alike(kName, "weight", weight, "x", x);
  check_mask(kName, distance, kappa, x, x.size(0), patches);

  if (mask_is_one(kappa)) return complement ? at::zeros_like(x) : at::matmul(weight, x);
  if (fused_mixing_takes(x, weight, distance, kappa) &&
      use_fused(Fused::kLinear, {x, weight, distance, kappa},
                [=](const auto& a) { return masked_linear(a[0], a[1], a[2], a[3], complement); })) {
    return fused_mixing(x, weight, distance, kappa, complement, 0);
  }
  const at::Tensor exponent = log_mask(distance, kappa);
  // 1 - exp(-κ d) by expm1: accurate for small κ.
  const at::Tensor weights = complement ? exponent.expm1() * weight.neg() : exponent.exp() * weight;
  return at::bmm(weights.to(x.scalar_type()), x);
}

}  // namespace remixer::kernels
