// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/fused_distance.h"

#include <c10/core/DeviceGuard.h>

#include "core/kernels/fused.h"

namespace remixer::kernels {

bool fused_distance_takes(const at::Tensor& y) {
  const bool known = y.scalar_type() == at::kFloat || y.scalar_type() == at::kBFloat16 ||
                     y.scalar_type() == at::kHalf;
  return known && !at::isTensorSubclassLike(y) && launcher_for(y.device()) != nullptr &&
         y.numel() > 0 && y.size(0) <= device::kMaxGrid &&
         y.size(1) <= device::kDistanceSide * device::kMaxGrid &&
         !(at::GradMode::is_enabled() && y.requires_grad());
}

at::Tensor fused_distance(const at::Tensor& y, bool cosine) {
  const c10::DeviceGuard guard(y.device());
  const at::Tensor labels = y.to(at::kFloat).contiguous();
  const at::Tensor distance =
      at::empty({y.size(0), y.size(1), y.size(1)}, y.options().memory_format(std::nullopt));
  device::KernelCall call;
  call.element = element_of(y);
  call.float_distance = y.scalar_type() == at::kFloat;
  auto& a = call.distance;
  a.batch = static_cast<int>(y.size(0));
  a.patches = static_cast<int>(y.size(1));
  a.channels = static_cast<int>(y.size(2));
  a.cosine = cosine;
  a.labels = labels.const_data_ptr<float>();
  a.distance = static_cast<float*>(distance.data_ptr());
  device::plan_distance(call);
  launch("label_distance", call, y.device());
  return distance;
}

}  // namespace remixer::kernels
