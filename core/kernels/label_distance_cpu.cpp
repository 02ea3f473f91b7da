// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/label_distance_cpu.h"

#include <ATen/Parallel.h>
#include <ATen/TensorSubclassLikeUtils.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <atomic>

#include "core/kernels/label_distance_loops.h"

namespace remixer::kernels {

std::optional<at::Tensor> sparse_cosine_distance(const at::Tensor& y) {
  constexpr int64_t kFewestChannels = 64;
  if (!y.is_cpu() || at::isTensorSubclassLike(y) || y.scalar_type() != at::kFloat ||
      y.numel() == 0 || y.size(2) < kFewestChannels ||
      (at::GradMode::is_enabled() && y.requires_grad())) {
    return std::nullopt;
  }
  const int64_t batch = y.size(0), patches = y.size(1), channels = y.size(2);
  const at::Tensor labels = y.contiguous();
  const at::Tensor distance =
      at::empty({batch, patches, patches}, y.options().memory_format(std::nullopt));
  std::atomic<bool> sparse = true;
  at::parallel_for(0, batch, 1, [&](int64_t begin, int64_t end) {
    SparseCosine cosine(patches, channels);
    for (int64_t b = begin; b < end && sparse; ++b) {
      if (!cosine(labels.const_data_ptr<float>() + b * patches * channels,
                  distance.mutable_data_ptr<float>() + b * patches * patches)) {
        sparse = false;
      }
    }
  });
  return sparse ? std::optional(distance) : std::nullopt;
}

}  // namespace remixer::kernels
