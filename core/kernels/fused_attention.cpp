// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/fused_attention.h"

#include <c10/core/DeviceGuard.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/kernels/fused.h"

namespace remixer::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr const char* kName = "masked_attention";

// x itself if its rows of D allow 16-byte reads, else a copy.
at::Tensor readable(const at::Tensor& x) {
  bool aligned = x.stride(3) == 1 && reinterpret_cast<uintptr_t>(x.const_data_ptr()) % 16 == 0;
  for (int64_t d = 0; d < 3; ++d) aligned = aligned && x.stride(d) % 8 == 0;
  return aligned ? x : x.contiguous();
}

// [B, H, T, D] stored as [B, T, H, D], since the next operation wants the heads side by side.
at::Tensor new_heads(const at::Tensor& like) {
  return at::empty({like.size(0), like.size(2), like.size(1), like.size(3)},
                   like.options().memory_format(std::nullopt))
      .transpose(1, 2);
}

device::Heads<const device::BFloat16> input(const at::Tensor& x) {
  return {const_elements(x), x.stride(0), x.stride(1), x.stride(2)};
}
device::Heads<device::BFloat16> output(const at::Tensor& x) {
  return {elements(x), x.stride(0), x.stride(1), x.stride(2)};
}

struct Inputs {
  at::Tensor q, k, v, distance, kappa;
};

device::KernelCall call_for(const Inputs& in, int64_t prefix_tokens, double scale) {
  device::KernelCall call;
  call.element = element_of(in.q);
  call.float_distance = in.distance.scalar_type() == at::kFloat;
  auto& a = call.attention;
  a.batch = static_cast<int>(in.q.size(0));
  a.heads = static_cast<int>(in.q.size(1));
  a.tokens = static_cast<int>(in.q.size(2));
  a.prefix = static_cast<int>(prefix_tokens);
  a.width = static_cast<int>(in.q.size(3));
  a.scale = static_cast<float>(scale);
  a.q = input(in.q), a.k = input(in.k), a.v = input(in.v);
  a.distance = static_cast<const float*>(in.distance.const_data_ptr());
  a.kappa = in.kappa.const_data_ptr<float>();
  return call;
}

void run(device::KernelCall& call, device::Kernel kernel, c10::Device device) {
  call.kernel = kernel;
  device::plan_attention(call);
  launch(kName, call, device);
}

struct Attention : torch::autograd::Function<Attention> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, const at::Tensor& distance,
                            const at::Tensor& kappa, int64_t prefix_tokens, double scale) {
    const c10::DeviceGuard guard(q.device());
    const Inputs in{readable(q), readable(k), readable(v), kernel_distance(distance, q),
                    kernel_kappa(kappa, q)};
    const at::Tensor out = new_heads(q);
    const at::Tensor log_sums = new_floats(q, {q.size(0), q.size(1), q.size(2)});
    device::KernelCall call = call_for(in, prefix_tokens, scale);
    call.attention.out = output(out);
    call.attention.log_sums = log_sums.data_ptr<float>();
    run(call, device::Kernel::kAttentionForward, q.device());
    context->save_for_backward({in.q, in.k, in.v, in.distance, in.kappa, out, log_sums, kappa});
    context->saved_data["prefix_tokens"] = prefix_tokens;
    context->saved_data["scale"] = scale;
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Inputs in{saved[0], saved[1], saved[2], saved[3], saved[4]};
    const at::Tensor &out = saved[5], &log_sums = saved[6], &kappa = saved[7];
    const c10::DeviceGuard guard(in.q.device());
    const at::Tensor d_out = readable(gradients[0]);
    const at::Tensor delta = new_floats(in.q, log_sums.sizes());
    const at::Tensor dq = new_heads(in.q), dk = new_heads(in.q), dv = new_heads(in.q);
    device::KernelCall call = call_for(in, context->saved_data["prefix_tokens"].toInt(),
                                       context->saved_data["scale"].toDouble());
    auto& a = call.attention;
    a.out = output(out), a.d_out = input(d_out);
    a.log_sums = log_sums.data_ptr<float>(), a.delta = delta.data_ptr<float>();
    a.dq = output(dq), a.dk = output(dk), a.dv = output(dv);
    run(call, device::Kernel::kAttentionDelta, in.q.device());
    at::Tensor d_kappa;
    if (context->needs_input_grad(4)) {
      call.kernel = device::Kernel::kAttentionBackwardQ;
      device::plan_attention(call);
      d_kappa = new_floats(in.q, {device::attention_d_kappa_parts(call)});
      a.d_kappa = d_kappa.data_ptr<float>();
    }
    run(call, device::Kernel::kAttentionBackwardQ, in.q.device());
    run(call, device::Kernel::kAttentionBackwardKv, in.q.device());
    if (d_kappa.defined()) d_kappa = add_parts(d_kappa, kappa);
    return {dq, dk, dv, at::Tensor(), d_kappa, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

bool fused_attention_takes(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           const at::Tensor& distance, const at::Tensor& kappa) {
  return fused_kernels_take(q) && k.scalar_type() == q.scalar_type() &&
         v.scalar_type() == q.scalar_type() && !at::isTensorSubclassLike(kappa) &&
         !at::isTensorSubclassLike(distance) && q.size(3) % 8 == 0 &&
         q.size(3) <= device::kAttentionMaxWidth && q.size(0) <= device::kMaxGrid &&
         q.size(2) <= 16 * device::kMaxGrid &&
         !(at::GradMode::is_enabled() && distance.requires_grad());
}

at::Tensor fused_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           const at::Tensor& distance, const at::Tensor& kappa,
                           int64_t prefix_tokens, double scale) {
  return Attention::apply(q, k, v, distance, kappa, prefix_tokens, scale);
}

}  // namespace remixer::kernels
