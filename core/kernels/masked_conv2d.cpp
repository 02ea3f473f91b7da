// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/TensorSubclassLikeUtils.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/index.h>
#include <ATen/ops/matmul.h>

#include "core/kernels/cpu_tensors.h"
#include "core/kernels/fused_choice.h"
#include "core/kernels/fused_mixing.h"
#include "core/kernels/mask.h"
#include "core/kernels/masked_conv2d_cpu.h"
#include "core/kernels/neighbours.h"
#include "core/kernels/operators.h"

namespace remixer::kernels {
namespace {

void check(const char* op, const at::Tensor& x, const at::Tensor& weight,
           const std::optional<at::Tensor>& bias) {
  TORCH_CHECK_VALUE(x.dim() == 4, op, ": x must be [B, C, H, W], not ", x.sizes());
  const int64_t channels = x.size(1);
  TORCH_CHECK_VALUE(
      weight.dim() == 4 && (weight.size(0) == 1 || weight.size(0) == channels) &&
          weight.size(1) == 1 && weight.size(2) == weight.size(3) && weight.size(2) % 2 == 1,
      op, ": weight must be [1 or ", channels, ", 1, S, S] with S odd, not ", weight.sizes());
  check_alike(op, "weight", weight, "x", x);
  if (!bias) return;
  TORCH_CHECK_VALUE(bias->dim() == 1 && (bias->size(0) == 1 || bias->size(0) == channels), op,
                    ": bias must be [1 or ", channels, "], not ", bias->sizes());
  check_alike(op, "bias", *bias, "x", x);
}

// M of every patch and its S² neighbours, [B, N, S²]; arbitrary values outside the image.
at::Tensor neighbour_mask(const at::Tensor& index, const at::Tensor& distance,
                          const at::Tensor& kappa) {
  const int64_t batch = distance.size(0), patches = distance.size(1), places = index.size(1);
  const at::Tensor inside =
      index.clamp_max(patches - 1).unsqueeze(0).expand({batch, patches, places});
  return log_mask(distance.gather(2, inside), kappa).exp();
}

// Gathers the S² neighbours of every patch; no N × N weight matrix is built.
at::Tensor gathered_conv2d(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& index,
                           const at::Tensor& mask) {
  const int64_t batch = x.size(0), channels = x.size(1), height = x.size(2), width = x.size(3);
  const int64_t places = index.size(1);
  // Row N is zero: places outside the image contribute nothing.
  const at::Tensor tokens = at::constant_pad_nd(x.flatten(2).transpose(1, 2), {0, 0, 0, 1});
  const at::Tensor values = at::index(tokens, {std::nullopt, index});    // [B, N, S², C]
  const at::Tensor kernels = weight.view({weight.size(0), places}).t();  // [S², 1 or C]
  const at::Tensor sums = weight.size(0) == 1
                              ? at::matmul((mask * kernels.view({places})).unsqueeze(2), values)
                              : at::matmul(mask.unsqueeze(2), values * kernels);
  return sums.view({batch, height, width, channels}).permute({0, 3, 1, 2});
}

// Half precision on a CPU: float loops are faster and more accurate than gathering.
bool runs_wider(const at::Tensor& x) {
  return x.is_cpu() && (x.scalar_type() == at::kBFloat16 || x.scalar_type() == at::kHalf);
}

// A single kernel for all channels is a Toeplitz matrix over patches.
bool serves_fused(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& distance,
                  const at::Tensor& kappa) {
  // One row of patches is enough for the check: [B, W, C].
  return !at::isTensorSubclassLike(x) && weight.size(0) == 1 && x.numel() > 0 &&
         fused_mixing_takes(x.select(2, 0).transpose(1, 2), weight, distance, kappa) &&
         use_fused(Fused::kConv2d, {x, weight, distance, kappa}, [](const auto& a) {
           return masked_conv2d(a[0], a[1], std::nullopt, a[2], a[3]);
         });
}

std::optional<at::Tensor> to_float(const std::optional<at::Tensor>& bias) {
  return bias ? std::optional(bias->to(at::kFloat)) : std::nullopt;
}

at::Tensor with_bias(const at::Tensor& y, const std::optional<at::Tensor>& bias) {
  return bias ? y + bias->view({1, -1, 1, 1}) : y;
}

// The loops add a bias of as many numbers as there are kernels.
at::Tensor by_loops(const at::Tensor& x, const at::Tensor& weight,
                    const std::optional<at::Tensor>& bias,
                    const std::optional<at::Tensor>& distance,
                    const std::optional<at::Tensor>& kappa) {
  if (bias && bias->numel() == weight.size(0) && cpu_loops_take({x, *bias})) {
    return cpu_conv2d(x, weight, bias, distance, kappa);
  }
  return with_bias(cpu_conv2d(x, weight, std::nullopt, distance, kappa), bias);
}

}  // namespace

at::Tensor masked_conv2d(const at::Tensor& x, const at::Tensor& weight,
                         const std::optional<at::Tensor>& bias, const at::Tensor& distance,
                         const at::Tensor& kappa) {
  check("masked_conv2d", x, weight, bias);
  check_mask("masked_conv2d", distance, kappa, x, x.size(0), x.size(2) * x.size(3));
  const bool fused = serves_fused(x, weight, distance, kappa);
  if (runs_wider(x) && !fused) {
    return masked_conv2d(x.to(at::kFloat), weight.to(at::kFloat), to_float(bias),
                         distance.to(at::kFloat), kappa)
        .to(x.scalar_type());
  }
  if (mask_is_one(kappa)) return depthwise_conv2d(x, weight, bias);
  if (fused) {
    const at::Tensor tokens = x.permute({0, 2, 3, 1}).flatten(1, 2);
    const at::Tensor mixed = fused_mixing(tokens, weight.view({weight.size(2), weight.size(3)}),
                                          distance, kappa, false, x.size(3));
    return with_bias(mixed.view({x.size(0), x.size(2), x.size(3), x.size(1)}).permute({0, 3, 1, 2}),
                     bias);
  }
  if (cpu_loops_take({x, weight}) && !at::isTensorSubclassLike(distance) &&
      !at::isTensorSubclassLike(kappa)) {
    return by_loops(x, weight, bias, distance, kappa);
  }
  const at::Tensor index = neighbours(x.size(2), x.size(3), weight.size(2), x.device());
  return with_bias(gathered_conv2d(x, weight, index, neighbour_mask(index, distance, kappa)), bias);
}

at::Tensor depthwise_conv2d(const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
  check("depthwise_conv2d", x, weight, bias);
  if (runs_wider(x)) {
    return depthwise_conv2d(x.to(at::kFloat), weight.to(at::kFloat), to_float(bias))
        .to(x.scalar_type());
  }
  if (cpu_loops_take({x, weight})) return by_loops(x, weight, bias, std::nullopt, std::nullopt);
  const int64_t channels = x.size(1), kernel = weight.size(2);
  const at::Tensor weights = weight.expand({channels, 1, kernel, kernel});
  const std::optional<at::Tensor> biases =
      bias ? std::optional<at::Tensor>(bias->expand({channels})) : std::nullopt;
  return at::conv2d(x, weights, biases, 1, kernel / 2, 1, channels);
}

}  // namespace remixer::kernels
