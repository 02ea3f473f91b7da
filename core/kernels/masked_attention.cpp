// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/TensorSubclassLikeUtils.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "core/kernels/fused_attention.h"
#include "core/kernels/fused_choice.h"
#include "core/kernels/mask.h"
#include "core/kernels/masked_attention_cpu.h"
#include "core/kernels/operators.h"

namespace remixer::kernels {

namespace {

constexpr const char* kName = "masked_attention";

void check_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const at::Tensor& distance, const at::Tensor& kappa, int64_t prefix_tokens) {
  TORCH_CHECK_VALUE(q.dim() == 4, kName, ": q must be [B, H, T, D], not ", q.sizes());
  TORCH_CHECK_VALUE(k.sizes() == q.sizes(), kName, ": k must be ", q.sizes(), " as q is, not ",
                    k.sizes());
  TORCH_CHECK_VALUE(v.sizes() == q.sizes(), kName, ": v must be ", q.sizes(), " as q is, not ",
                    v.sizes());
  check_alike(kName, "k", k, "q", q);
  check_alike(kName, "v", v, "q", q);
  TORCH_CHECK_VALUE(prefix_tokens >= 0 && prefix_tokens <= q.size(2), kName,
                    ": prefix_tokens must be 0 to ", q.size(2), ", the tokens of q, not ",
                    prefix_tokens);
  check_mask(kName, distance, kappa, q, q.size(0), q.size(2) - prefix_tokens);
}

}  // namespace

at::Tensor masked_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            const at::Tensor& distance, const at::Tensor& kappa,
                            int64_t prefix_tokens, std::optional<double> scale) {
  check_attention(q, k, v, distance, kappa, prefix_tokens);
  const double factor = scale.value_or(1 / std::sqrt(static_cast<double>(q.size(3))));

  if (mask_is_one(kappa)) return at::scaled_dot_product_attention(q, k, v, {}, 0, false, factor);
  if (fused_attention_takes(q, k, v, distance, kappa) &&
      use_fused(Fused::kAttention, {q, k, v, distance, kappa}, [=](const auto& a) {
        return masked_attention(a[0], a[1], a[2], a[3], a[4], prefix_tokens, factor);
      })) {
    return fused_attention(q, k, v, distance, kappa, prefix_tokens, factor);
  }
  if (at::GradMode::is_enabled() && cpu_attention_takes(q, k, v) &&
      !at::isTensorSubclassLike(distance) && !at::isTensorSubclassLike(kappa) &&
      !distance.requires_grad()) {
    return cpu_attention(q, k, v, distance, kappa, prefix_tokens, factor);
  }
  at::Tensor bias = log_mask(distance, kappa);
  if (prefix_tokens > 0) {
    bias = at::constant_pad_nd(bias, {prefix_tokens, 0, prefix_tokens, 0});
  }
  if (!at::GradMode::is_enabled()) {
    return at::scaled_dot_product_attention(q, k, v, bias.unsqueeze(1).to(q.scalar_type()), 0,
                                            false, factor);
  }
  // ATen has no fused form that also gives the gradient of the bias.
  at::Tensor scores = at::matmul(q * factor, k.transpose(2, 3));
  // Under autocast the product is narrower than the mask; adding in place would round the mask.
  scores = scores.scalar_type() == bias.scalar_type() ? scores.add_(bias.unsqueeze(1))
                                                      : scores + bias.unsqueeze(1);
  return at::matmul(scores.softmax(-1).to(v.scalar_type()), v);
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  if (!at::GradMode::is_enabled() || !cpu_attention_takes(q, k, v) || q.dim() != 4 ||
      !k.sizes().equals(q.sizes()) || !v.sizes().equals(q.sizes())) {
    return at::scaled_dot_product_attention(q, k, v);
  }
  // Without patches: all tokens are prefix tokens, whose mask is 1.
  const at::Tensor distance = at::empty({q.size(0), 0, 0}, q.options().memory_format(std::nullopt));
  return cpu_attention(q, k, v, distance, at::zeros({}, distance.options()), q.size(2),
                       1 / std::sqrt(static_cast<double>(q.size(3))));
}

}  // namespace remixer::kernels
