#include <ATen/core/grad_mode.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>

#include <cmath>

#include "core/kernels/mask.h"
#include "core/kernels/operators.h"

namespace remixer::kernels {

at::Tensor masked_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            const at::Tensor& distance, const at::Tensor& kappa,
                            int64_t prefix_tokens, std::optional<double> scale) {
  TORCH_CHECK(q.dim() == 4 && k.sizes() == q.sizes() && v.sizes() == q.sizes(),
              "q, k and v must be [B, H, T, D] alike, not ", q.sizes(), ", ", k.sizes(), " and ",
              v.sizes());
  TORCH_CHECK(prefix_tokens >= 0 && prefix_tokens <= q.size(2), "prefix_tokens must be 0 to ",
              q.size(2), ", not ", prefix_tokens);
  check_mask(distance, kappa, q.size(0), q.size(2) - prefix_tokens);
  const double factor = scale.value_or(1 / std::sqrt(static_cast<double>(q.size(3))));

  if (mask_is_one(kappa)) return at::scaled_dot_product_attention(q, k, v, {}, 0, false, factor);
  at::Tensor bias = log_mask(distance, kappa);
  if (prefix_tokens > 0) {
    bias = at::constant_pad_nd(bias, {prefix_tokens, 0, prefix_tokens, 0});
  }
  if (!at::GradMode::is_enabled()) {
    return at::scaled_dot_product_attention(q, k, v, bias.unsqueeze(1), 0, false, factor);
  }
  // A fused form that also gives the bias its gradient is not to be had from ATen.
  at::Tensor scores = at::matmul(q * factor, k.transpose(2, 3));
  // Under autocast the product is narrower than the mask, which a sum in place would round.
  scores = scores.scalar_type() == bias.scalar_type() ? scores.add_(bias.unsqueeze(1))
                                                      : scores + bias.unsqueeze(1);
  return at::matmul(scores.softmax(-1), v);
}

}  // namespace remixer::kernels
