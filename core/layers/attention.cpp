// SPDX-License-Identifier: Apache-2.0
#include "core/layers/attention.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/addcmul.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>

#include <cmath>

#include "core/kernels/mask.h"
#include "core/kernels/operators.h"

namespace remixer::layers {
namespace {

constexpr double kDeviation = 0.02;

Linear attention_linear(ParameterMaker& maker, const std::string& name, int64_t in, int64_t out,
                        bool bias) {
  return {maker,
          name,
          in,
          out,
          Initial::normal(kDeviation),
          bias ? std::optional(Initial::constant(0)) : std::nullopt};
}

// [B, T, parts · H · D] → parts tensors [B, H, T, D].
std::vector<at::Tensor> split_heads(const at::Tensor& x, int64_t parts, int64_t heads) {
  const int64_t batch = x.size(0), tokens = x.size(1);
  return x.view({batch, tokens, parts, heads, x.size(2) / (parts * heads)})
      .permute({2, 0, 3, 1, 4})
      .unbind(0);
}

at::Tensor join_heads(const at::Tensor& x) {
  return x.transpose(1, 2).flatten(2);
}

at::Tensor relative_positions(int64_t grid) {
  const at::Tensor index = at::arange(grid * grid, at::kLong);
  const at::Tensor column = index.remainder(grid), row = index.div(grid, "floor");
  const at::Tensor columns = column.unsqueeze(0) - column.unsqueeze(1);
  const at::Tensor rows = row.unsqueeze(0) - row.unsqueeze(1);
  return at::stack({columns, rows, columns * columns + rows * rows}, -1).to(at::kFloat);
}

// Head (h1, h2) of the first k × k looks at the place (h1 - centre, h2 - centre); the other heads
// keep their random weights.
void set_local(const at::Tensor& pos_proj_weight, int64_t heads) {
  const at::NoGradGuard no_grad;
  const int64_t kernel = static_cast<int64_t>(std::sqrt(static_cast<double>(heads)));
  const double centre = kernel % 2 == 0 ? (kernel - 1) / 2.0 : static_cast<double>(kernel / 2);
  auto weight = pos_proj_weight.accessor<float, 2>();
  for (int64_t h1 = 0; h1 < kernel; ++h1) {
    for (int64_t h2 = 0; h2 < kernel; ++h2) {
      const int64_t head = h1 + kernel * h2;
      weight[head][0] = static_cast<float>(2 * (h2 - centre));
      weight[head][1] = static_cast<float>(2 * (h1 - centre));
      weight[head][2] = -1;
    }
  }
}

// softmax(q kᵀ/√D - κ d), without d for prefix tokens; stored in `trace`; [B, H, Tq, T].
at::Tensor traced_attention(const at::Tensor& q, const at::Tensor& k, const PatchMask* mask,
                            int64_t prefix_tokens, ForwardTrace& trace) {
  at::Tensor scores = at::matmul(q / std::sqrt(static_cast<double>(q.size(3))), k.transpose(2, 3));
  if (mask != nullptr) {
    const at::Tensor bias = kernels::log_mask(mask->distance, mask->kappa);
    scores = scores + at::constant_pad_nd(bias, {prefix_tokens, 0, prefix_tokens, 0}).unsqueeze(1);
  }
  trace.attention.push_back(scores.softmax(-1));
  return trace.attention.back();
}

}  // namespace

Attention::Attention(ParameterMaker& maker, const std::string& name, int64_t width,
                     int64_t head_count, bool qkv_bias)
    : heads(head_count),
      qkv(attention_linear(maker, name + ".qkv", width, 3 * width, qkv_bias)),
      proj(attention_linear(maker, name + ".proj", width, width, true)) {}

at::Tensor Attention::operator()(const at::Tensor& x, const PatchMask* mask, int64_t prefix_tokens,
                                 ForwardTrace* trace) const {
  const auto parts = split_heads(qkv(x), 3, heads);
  if (trace != nullptr) {
    const at::Tensor attention = traced_attention(parts[0], parts[1], mask, prefix_tokens, *trace);
    return proj(join_heads(at::matmul(attention, parts[2])));
  }
  const at::Tensor mixed =
      mask == nullptr ? kernels::attention(parts[0], parts[1], parts[2])
                      : kernels::masked_attention(parts[0], parts[1], parts[2], mask->distance,
                                                  mask->kappa, prefix_tokens);
  return proj(join_heads(mixed));
}

at::Tensor Attention::first_token(const at::Tensor& x, const PatchMask* mask,
                                  ForwardTrace* trace) const {
  const int64_t width = x.size(2);
  const auto map = [this](const at::Tensor& tokens, int64_t from, int64_t to) {
    const bool biased = qkv.bias.defined();
    return at::linear(tokens, qkv.weight.slice(0, from, to),
                      biased ? std::optional(qkv.bias.slice(0, from, to)) : std::nullopt);
  };
  const at::Tensor q = split_heads(map(x.slice(1, 0, 1), 0, width), 1, heads)[0];
  const auto kv = split_heads(map(x, width, 3 * width), 2, heads);
  if (trace != nullptr) {
    return proj(join_heads(at::matmul(traced_attention(q, kv[0], nullptr, 0, *trace), kv[1])));
  }
  const at::Tensor mixed = proj(join_heads(at::scaled_dot_product_attention(q, kv[0], kv[1])));
  // Data-parallel training waits for the gradient of every parameter, so kappa gets one (0).
  return mask == nullptr ? mixed : mixed + mask->kappa * 0;
}

GatedPositionalAttention::GatedPositionalAttention(ParameterMaker& maker, const std::string& name,
                                                   int64_t width, int64_t head_count, bool qkv_bias,
                                                   int64_t grid)
    : heads(head_count) {
  gating_param = maker.parameter(name + ".gating_param", {heads}, Initial::constant(1));
  qk = attention_linear(maker, name + ".qk", width, 2 * width, qkv_bias);
  v = attention_linear(maker, name + ".v", width, width, qkv_bias);
  proj = attention_linear(maker, name + ".proj", width, width, true);
  pos_proj = attention_linear(maker, name + ".pos_proj", 3, heads, true);
  relative_ = relative_positions(grid);

  const at::NoGradGuard no_grad;
  v.weight.copy_(at::eye(width));
  set_local(pos_proj.weight, heads);
}

const at::Tensor& GatedPositionalAttention::relative(const at::Tensor& like) const {
  if (!placed_.defined() || placed_.device() != like.device() ||
      placed_.scalar_type() != like.scalar_type()) {
    placed_ = relative_.to(like.options());
  }
  return placed_;
}

at::Tensor GatedPositionalAttention::operator()(const at::Tensor& x, const PatchMask* mask,
                                                ForwardTrace* trace) const {
  const auto parts = split_heads(qk(x), 2, heads);
  const double scale = 1 / std::sqrt(static_cast<double>(parts[0].size(3)));
  const at::Tensor content = at::matmul(parts[0] * scale, parts[1].transpose(2, 3)).softmax(-1);
  // Shared by all images: [H, N, N].
  const at::Tensor position = pos_proj(relative(x)).permute({2, 0, 1}).softmax(-1);
  const at::Tensor gate = gating_param.sigmoid().view({heads, 1, 1});
  at::Tensor attention = at::addcmul(gate * position, content, 1 - gate);
  const at::Tensor values = split_heads(v(x), 1, heads)[0];
  // Rows sum to 1 until masked; dividing the product instead of the matrix is cheaper.
  if (trace != nullptr) {
    if (mask != nullptr) {
      attention = attention * kernels::log_mask(mask->distance, mask->kappa).exp().unsqueeze(1);
      attention = attention / attention.sum(-1, /*keepdim=*/true);
    }
    trace->attention.push_back(attention);
    return proj(join_heads(at::matmul(attention, values)));
  }
  if (mask == nullptr || kernels::mask_is_one(mask->kappa)) {
    return proj(join_heads(at::matmul(attention, values)));
  }
  attention = attention * kernels::log_mask(mask->distance, mask->kappa).exp().unsqueeze(1);
  return proj(join_heads(at::matmul(attention, values) / attention.sum(-1, /*keepdim=*/true)));
}

}  // namespace remixer::layers
