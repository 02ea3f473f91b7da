// SPDX-License-Identifier: Apache-2.0
#include <ATen/TensorOperators.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include "core/kernels/fused_choice.h"
#include "core/kernels/fused_distance.h"
#include "core/kernels/label_distance_cpu.h"
#include "core/kernels/operators.h"

namespace remixer::kernels {
namespace {

at::Tensor l1_distance(const at::Tensor& y) {
  if (y.size(2) == 1) return (y - y.transpose(1, 2)).abs();
  // Computes pair by pair: no tensor of size N × N × K is created.
  return at::cdist(y, y, 1);
}

at::Tensor cosine_distance(const at::Tensor& y) {
  const at::Tensor squares = (y * y).sum(-1, /*keepdim=*/true);
  const at::Tensor is_zero = squares == 0;
  const at::Tensor inverse = at::where(is_zero, at::zeros_like(squares),
                                       at::where(is_zero, at::Scalar(1), squares).rsqrt());
  const at::Tensor unit = y * inverse;
  const at::Tensor zero = is_zero.to(y.scalar_type());
  const at::Tensor similarity =
      at::baddbmm(zero * zero.transpose(1, 2), unit, unit.transpose(1, 2));
  // Rounding can put the similarity of equal rows slightly above 1.
  return (1 - similarity).clamp_min(0);
}

}  // namespace

at::Tensor label_distance(const at::Tensor& y, std::string_view metric) {
  TORCH_CHECK_VALUE(y.dim() == 3, "label_distance: y must be [B, N, K], not ", y.sizes());
  TORCH_CHECK_VALUE(y.is_floating_point(), "label_distance: y must be of a floating type, not ",
                    y.scalar_type());
  TORCH_CHECK_VALUE(metric == "l1" || metric == "cosine", "label_distance: metric '", metric,
                    "' is not known: use 'l1' or 'cosine'");
  // Meta tensors hold no data, so any expression of this shape will do; some parts of the real one
  // have no meta implementation.
  if (y.is_meta()) return at::bmm(y, y.transpose(1, 2));
  if (fused_distance_takes(y) &&
      use_fused(Fused::kDistance, {y}, [metric = std::string(metric)](const auto& a) {
        return label_distance(a[0], metric);
      })) {
    return fused_distance(y, metric == "cosine");
  }
  if (metric == "cosine") {
    if (const auto distance = sparse_cosine_distance(y)) return *distance;
  }
  // Half-precision sums over hundreds of classes would lose the small distances.
  const bool narrow = y.scalar_type() == at::kHalf || y.scalar_type() == at::kBFloat16;
  const at::Tensor wide = narrow ? y.to(at::kFloat) : y;
  const at::Tensor distance = metric == "l1" ? l1_distance(wide) : cosine_distance(wide);
  return narrow ? distance.to(y.scalar_type()) : distance;
}

}  // namespace remixer::kernels
