// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/fused_mixing.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/DeviceGuard.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/kernels/fused.h"
#include "core/kernels/neighbours.h"

namespace remixer::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor readable(const at::Tensor& x) {
  const at::Tensor dense = x.contiguous();
  return reinterpret_cast<uintptr_t>(dense.const_data_ptr()) % 16 == 0 ? dense : dense.clone();
}

struct Inputs {
  at::Tensor x, weight, distance, kappa;
};

device::KernelCall call_for(const Inputs& in, bool complement, int64_t columns) {
  device::KernelCall call;
  call.element = element_of(in.x);
  call.float_distance = in.distance.scalar_type() == at::kFloat;
  auto& a = call.mixing;
  a.batch = static_cast<int>(in.x.size(0));
  a.patches = static_cast<int>(in.x.size(1));
  a.channels = static_cast<int>(in.x.size(2));
  a.weight = const_elements(in.weight);
  a.kernel = columns > 0 ? static_cast<int>(in.weight.size(0)) : 0;
  a.columns = static_cast<int>(columns > 0 ? columns : 1);
  a.distance = static_cast<const float*>(in.distance.const_data_ptr());
  a.kappa = in.kappa.const_data_ptr<float>();
  a.complement = complement;
  return call;
}

at::Tensor product(device::KernelCall& call, const at::Tensor& x, bool transposed) {
  const at::Tensor y = at::empty_like(x);
  call.mixing.x = const_elements(x);
  call.mixing.y = elements(y);
  call.mixing.transposed = transposed;
  call.kernel = device::Kernel::kMixingProduct;
  device::plan_mixing(call);
  launch("masked mixing", call, x.device());
  return y;
}

// Converts the sums dW [slices, N, N] to the gradient of `weight`.
at::Tensor to_weight(const at::Tensor& sums, const at::Tensor& weight, int64_t columns) {
  const at::Tensor dense = sums.sum(0);
  if (columns == 0) return dense.to(weight.scalar_type());
  const int64_t rows = dense.size(0) / columns;
  const at::Tensor index = neighbours(rows, columns, weight.size(0), dense.device());
  // Places outside the image contribute nothing.
  return at::constant_pad_nd(dense, {0, 1})
      .gather(1, index)
      .sum(0)
      .view(weight.sizes())
      .to(weight.scalar_type());
}

struct Mixing : torch::autograd::Function<Mixing> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& distance, const at::Tensor& kappa, bool complement,
                            int64_t columns) {
    const c10::DeviceGuard guard(x.device());
    const Inputs in{readable(x), weight.contiguous(), kernel_distance(distance, x),
                    kernel_kappa(kappa, x)};
    device::KernelCall call = call_for(in, complement, columns);
    const at::Tensor y = product(call, in.x, /*transposed=*/false);
    context->save_for_backward({in.x, in.weight, in.distance, in.kappa, distance, kappa});
    context->saved_data["complement"] = complement;
    context->saved_data["columns"] = columns;
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Inputs in{saved[0], saved[1], saved[2], saved[3]};
    const int64_t columns = context->saved_data["columns"].toInt();
    const c10::DeviceGuard guard(in.x.device());
    const at::Tensor dy = readable(gradients[0]);
    device::KernelCall call = call_for(in, context->saved_data["complement"].toBool(), columns);
    variable_list to(6);
    if (context->needs_input_grad(0)) to[0] = product(call, dy, /*transposed=*/true);
    if (!context->needs_input_grad(1) && !context->needs_input_grad(2) &&
        !context->needs_input_grad(3)) {
      return to;
    }
    auto& a = call.mixing;
    a.transposed = false;
    a.x = const_elements(in.x), a.dy = const_elements(dy), a.y = nullptr;
    a.slices = device::plan_slices(a.batch, a.patches);
    call.kernel = device::Kernel::kMixingGradient;
    device::plan_mixing(call);
    const at::Tensor d_weight = new_floats(in.x, {a.slices, a.patches, a.patches});
    const at::Tensor d_kappa =
        new_floats(in.x, {static_cast<int64_t>(call.grid[0]) * call.grid[1] * call.grid[2]});
    a.d_weight = d_weight.data_ptr<float>(), a.d_kappa = d_kappa.data_ptr<float>();
    at::Tensor d_distance;
    if (context->needs_input_grad(2)) {
      d_distance = new_floats(in.x, in.distance.sizes());
      a.d_distance = d_distance.data_ptr<float>();
    }
    launch("masked mixing", call, in.x.device());
    to[1] = to_weight(d_weight, in.weight, columns);
    if (d_distance.defined()) to[2] = d_distance.to(saved[4].scalar_type());
    to[3] = add_parts(d_kappa, saved[5]);
    return to;
  }
};

}  // namespace

bool fused_mixing_takes(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& distance,
                        const at::Tensor& kappa) {
  return fused_kernels_take(x) && weight.scalar_type() == x.scalar_type() &&
         !at::isTensorSubclassLike(weight) && !at::isTensorSubclassLike(distance) &&
         !at::isTensorSubclassLike(kappa) && x.size(2) % 8 == 0 && x.size(0) <= device::kMaxGrid;
}

at::Tensor fused_mixing(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& distance,
                        const at::Tensor& kappa, bool complement, int64_t columns) {
  return Mixing::apply(x, weight, distance, kappa, complement, columns);
}

}  // namespace remixer::kernels
