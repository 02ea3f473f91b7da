// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/gelu.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/kernels/cpu_tensors.h"
#include "core/kernels/gelu_loops.h"

namespace remixer::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Sums over rows are taken group by group, in this order for any number of threads.
constexpr int64_t kRowGroups = 32;
// Numbers that one thread takes at once.
constexpr int64_t kGrain = 8192;

template <typename T>
T* data_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.mutable_data_ptr<T>() : nullptr;
}

// x in the memory order of `like`, which is dense.
at::Tensor ordered_like(const at::Tensor& x, const at::Tensor& like) {
  return x.strides() == like.strides() ? x : at::empty_like(like).copy_(x);
}

// x is dense; slope is undefined if nobody needs it.
template <typename T>
void activate(const at::Tensor& x, const at::Tensor& g, const at::Tensor& slope) {
  const T* in = x.const_data_ptr<T>();
  T *out = g.mutable_data_ptr<T>(), *slopes = data_or_null<T>(slope);
  at::parallel_for(0, x.numel(), kGrain, [&](int64_t begin, int64_t end) {
    gelu(end - begin, in + begin, T(0), out + begin, slopes == nullptr ? nullptr : slopes + begin);
  });
}

// h ← gelu(h + bias) of each row.
template <typename T>
void activate_rows(const at::Tensor& h, const at::Tensor& bias, const at::Tensor& slope) {
  const int64_t width = h.size(1);
  T *values = h.mutable_data_ptr<T>(), *slopes = data_or_null<T>(slope);
  at::parallel_for(0, h.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      T* row = values + i * width;
      gelu(width, row, bias.const_data_ptr<T>(), row,
           slopes == nullptr ? nullptr : slopes + i * width);
    }
  });
}

// dh = dg · slope; returns its sum over rows.
template <typename T>
at::Tensor activate_rows_backward(const at::Tensor& dg, const at::Tensor& slope,
                                  const at::Tensor& dh) {
  const int64_t rows = dg.size(0), width = dg.size(1), groups = std::min(kRowGroups, rows);
  const at::Tensor sums = at::zeros({groups, width}, dg.options());
  at::parallel_for(0, groups, 1, [&](int64_t begin, int64_t end) {
    for (int64_t group = begin; group < end; ++group) {
      for (int64_t i = rows * group / groups; i < rows * (group + 1) / groups; ++i) {
        gelu_backward(width, dg.const_data_ptr<T>() + i * width,
                      slope.const_data_ptr<T>() + i * width, dh.mutable_data_ptr<T>() + i * width,
                      sums.mutable_data_ptr<T>() + group * width);
      }
    }
  });
  return sums.sum(0);
}

struct Gelu : torch::autograd::Function<Gelu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_in, bool keep) {
    const at::Tensor x = x_in.is_non_overlapping_and_dense() ? x_in : x_in.contiguous();
    const at::Tensor g = at::empty_like(x), slope = keep ? at::empty_like(x) : at::Tensor();
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "gelu", [&] { activate<scalar_t>(x, g, slope); });
    context->save_for_backward({slope});
    return g;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    refuse_second_derivative("gelu");
    const at::Tensor slope = context->get_saved_variables()[0];
    return {ordered_like(gradients[0], slope) * slope, at::Tensor()};
  }
};

struct LinearGelu : torch::autograd::Function<LinearGelu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias_in, bool keep) {
    const at::Tensor bias = bias_in.contiguous();
    const at::Tensor g = at::mm(x, weight.t());
    const at::Tensor slope = keep ? at::empty_like(g) : at::Tensor();
    AT_DISPATCH_FLOATING_TYPES(g.scalar_type(), "linear_gelu",
                               [&] { activate_rows<scalar_t>(g, bias, slope); });
    context->save_for_backward({x, weight, slope});
    return g;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    refuse_second_derivative("linear_gelu");
    const auto saved = context->get_saved_variables();
    const at::Tensor dg = gradients[0].contiguous(), dh = at::empty_like(dg);
    at::Tensor db;
    AT_DISPATCH_FLOATING_TYPES(dg.scalar_type(), "linear_gelu_backward",
                               [&] { db = activate_rows_backward<scalar_t>(dg, saved[2], dh); });
    at::Tensor dx;
    if (context->needs_input_grad(0)) dx = at::mm(dh, saved[1]);
    return {dx, at::mm(dh.t(), saved[0]), db, at::Tensor()};
  }
};

}  // namespace

at::Tensor gelu(const at::Tensor& x) {
  if (!cpu_loops_take({x})) return at::gelu(x);
  return Gelu::apply(x, at::GradMode::is_enabled());
}

at::Tensor linear_gelu(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (!cpu_loops_take({x, weight, bias}) || autocast_on_cpu() || weight.dim() != 2 ||
      bias.numel() != weight.size(0)) {
    return at::gelu(at::linear(x, weight, bias));
  }
  auto shape = x.sizes().vec();
  shape.back() = weight.size(0);
  return LinearGelu::apply(x.reshape({-1, x.size(-1)}), weight, bias, at::GradMode::is_enabled())
      .view(shape);
}

}  // namespace remixer::kernels
