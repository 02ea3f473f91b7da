// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/masked_conv2d_cpu.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/TensorSubclassLikeUtils.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/kernels/masked_conv2d_loops.h"

namespace remixer::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

ConvShape shape_of(const at::Tensor& x, const at::Tensor& weight) {
  return {.height = x.size(2),
          .width = x.size(3),
          .channels = x.size(1),
          .kernel = weight.size(2),
          .shared = weight.size(0) == 1};
}

// [K, 1, S, S] → [S², K]: the channels of each place are contiguous.
at::Tensor by_place(const at::Tensor& weight) {
  return weight.flatten(1).t().contiguous();
}

at::Tensor channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

template <typename T>
const T* data_or_null(const at::Tensor& mask, int64_t image) {
  return mask.defined() ? mask.const_data_ptr<T>() + image * mask.stride(0) : nullptr;
}

at::Tensor forward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& mask) {
  const ConvShape shape = shape_of(x, weight);
  at::Tensor y = at::empty(x.sizes(), x.options().memory_format(at::MemoryFormat::ChannelsLast));
  const at::Tensor kernels = by_place(weight);
  const int64_t image = x[0].numel();
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "masked_conv2d", [&] {
    at::parallel_for(0, x.size(0), 1, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        conv_forward(shape, x.const_data_ptr<scalar_t>() + b * image,
                     kernels.const_data_ptr<scalar_t>(), data_or_null<scalar_t>(mask, b),
                     y.mutable_data_ptr<scalar_t>() + b * image);
      }
    });
  });
  return y;
}

struct Gradients {
  at::Tensor x, weight, mask;
};

Gradients backward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& mask,
                   const at::Tensor& dy) {
  const ConvShape shape = shape_of(x, weight);
  const at::Tensor kernels = by_place(weight);
  Gradients to;
  to.x = at::empty(x.sizes(), x.options().memory_format(at::MemoryFormat::ChannelsLast));
  if (mask.defined()) to.mask = at::empty_like(mask);
  // Each image's part is kept separately, then summed in a fixed order.
  const at::Tensor parts = at::empty({x.size(0), kernels.size(0), kernels.size(1)}, x.options());
  const int64_t image = x[0].numel();
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "masked_conv2d_backward", [&] {
    at::parallel_for(0, x.size(0), 1, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        conv_backward(shape, x.const_data_ptr<scalar_t>() + b * image,
                      kernels.const_data_ptr<scalar_t>(), data_or_null<scalar_t>(mask, b),
                      dy.const_data_ptr<scalar_t>() + b * image,
                      to.x.mutable_data_ptr<scalar_t>() + b * image,
                      parts.mutable_data_ptr<scalar_t>() + b * kernels.numel(),
                      const_cast<scalar_t*>(data_or_null<scalar_t>(to.mask, b)));
      }
    });
  });
  to.weight = parts.sum(0).t().reshape(weight.sizes());
  return to;
}

struct Convolution : torch::autograd::Function<Convolution> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& mask) {
    const at::Tensor dense = channels_last(x);
    const at::Tensor dense_mask = mask ? mask->contiguous() : at::Tensor();
    context->save_for_backward({dense, weight, dense_mask});
    return kernels::forward(dense, weight, dense_mask);
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Gradients to =
        kernels::backward(saved[0], saved[1], saved[2], channels_last(gradients[0]));
    return {to.x, to.weight, to.mask};
  }
};

}  // namespace

bool cpu_conv2d_takes(const at::Tensor& x) {
  return x.is_cpu() && x.size(0) > 0 && !at::isTensorSubclassLike(x) &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
}

at::Tensor cpu_conv2d(const at::Tensor& x, const at::Tensor& weight,
                      const std::optional<at::Tensor>& mask) {
  return Convolution::apply(x, weight, mask);
}

}  // namespace remixer::kernels
