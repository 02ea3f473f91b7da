// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/token_mlp_cpu.h"

#include <ATen/Dispatch.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "core/kernels/cpu_tensors.h"
#include "core/kernels/gelu_loops.h"
#include "core/kernels/one_thread_each.h"
#include "core/kernels/token_mlp_loops.h"

namespace remixer::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Gradients of weights are summed over the images of a group, then over groups, in this order for
// any number of threads.
constexpr int64_t kImageGroups = 32;

// One call's tensors, all contiguous. distance and product (W2 W1) are undefined without a mask.
struct Call {
  at::Tensor x, fc1, bias1, fc2, bias2, distance, product;
  double kappa = 0;

  int64_t batch() const { return x.size(0); }
  int64_t patches() const { return x.size(1); }
  int64_t channels() const { return x.size(2); }
  int64_t hidden() const { return fc1.size(0); }
  int64_t groups() const { return std::min(kImageGroups, batch()); }
  // Images [first_image(g), first_image(g + 1)) are group g's.
  int64_t first_image(int64_t group) const { return batch() * group / groups(); }
};

// (1 - M) ⊙ W2 W1 of image b.
template <typename T>
void masked_product_of(const Call& call, int64_t b, T* left) {
  const int64_t count = call.patches() * call.patches();
  masked_product(count, call.distance.const_data_ptr<T>() + b * count, static_cast<T>(call.kappa),
                 call.product.const_data_ptr<T>(), left);
}

// g [B, H, C] and slope of the same shape are kept for the backward pass, or undefined.
template <typename T>
void forward(const Call& call, const at::Tensor& y, const at::Tensor& g, const at::Tensor& slope) {
  const int64_t n = call.patches(), c = call.channels(), h = call.hidden();
  const T *fc1 = call.fc1.const_data_ptr<T>(), *fc2 = call.fc2.const_data_ptr<T>();
  const T *bias1 = call.bias1.const_data_ptr<T>(), *bias2 = call.bias2.const_data_ptr<T>();
  one_thread_each(call.groups(), [&](int64_t group) {
    const auto own = scratch<T>(h * c), left = scratch<T>(n * n);
    for (int64_t b = call.first_image(group); b < call.first_image(group + 1); ++b) {
      const T* x = call.x.const_data_ptr<T>() + b * n * c;
      T* out = y.mutable_data_ptr<T>() + b * n * c;
      T* hidden = g.defined() ? g.mutable_data_ptr<T>() + b * h * c : own.get();
      T* slopes = slope.defined() ? slope.mutable_data_ptr<T>() + b * h * c : nullptr;
      product<T>(false, false, h, c, n, 1, fc1, n, x, c, 0, hidden, c);
      for (int64_t i = 0; i < h; ++i) {
        T* row = hidden + i * c;
        gelu(c, row, bias1[i], row, slopes == nullptr ? nullptr : slopes + i * c);
      }
      for (int64_t i = 0; i < n; ++i) std::fill_n(out + i * c, c, bias2[i]);
      product<T>(false, false, n, c, h, 1, fc2, h, hidden, c, 1, out, c);
      if (!call.distance.defined()) continue;
      masked_product_of(call, b, left.get());
      product<T>(false, false, n, c, n, -1, left.get(), n, x, c, 1, out, c);
    }
  });
}

// Per group, one row after another in a row of `sums`: dW1, db1, dW2, db2, and d(W2 W1) if there is
// a mask. kappas [B]; distance is undefined if nobody wants its gradient.
struct Gradients {
  at::Tensor x, sums, kappas, distance;
};

struct Parts {
  int64_t fc1, bias1, fc2, bias2, product, end;
  explicit Parts(const Call& call)
      : fc1(0),
        bias1(fc1 + call.fc1.numel()),
        fc2(bias1 + call.bias1.numel()),
        bias2(fc2 + call.fc2.numel()),
        product(bias2 + call.bias2.numel()),
        end(product + (call.product.defined() ? call.product.numel() : 0)) {}
};

// Working memory of one thread.
template <typename T>
struct Work {
  explicit Work(const Call& call)
      : dh(scratch<T>(call.hidden() * call.channels())),
        left(scratch<T>(call.patches() * call.patches())) {}
  std::unique_ptr<T[], decltype(&std::free)> dh, left;
};

template <typename T>
void backward_of_mask(const Call& call, int64_t b, const T* x, const T* dy, T* dx, T* dproduct,
                      const Gradients& to, const Work<T>& work) {
  const int64_t n = call.patches(), c = call.channels(), count = n * n;
  T* left = work.left.get();
  masked_product_of(call, b, left);
  product<T>(true, false, n, c, n, -1, left, n, dy, c, 1, dx, c);
  product<T>(false, true, n, n, c, -1, dy, c, x, c, 0, left, n);
  to.kappas.mutable_data_ptr<double>()[b] = masked_product_backward(
      count, call.distance.const_data_ptr<T>() + b * count, static_cast<T>(call.kappa),
      call.product.const_data_ptr<T>(), left, dproduct);
  if (to.distance.defined())
    std::copy_n(left, count, to.distance.mutable_data_ptr<T>() + b * count);
}

template <typename T>
void backward(const Call& call, const at::Tensor& g, const at::Tensor& slope, const at::Tensor& dy,
              const Gradients& to) {
  const int64_t n = call.patches(), c = call.channels(), h = call.hidden();
  const T *fc1 = call.fc1.const_data_ptr<T>(), *fc2 = call.fc2.const_data_ptr<T>();
  const Parts parts(call);
  one_thread_each(call.groups(), [&](int64_t group) {
    const Work<T> work(call);
    T *sums = to.sums.mutable_data_ptr<T>() + group * parts.end, *dh = work.dh.get();
    for (int64_t b = call.first_image(group); b < call.first_image(group + 1); ++b) {
      const T* x = call.x.const_data_ptr<T>() + b * n * c;
      const T* gradient = dy.const_data_ptr<T>() + b * n * c;
      const T* slopes = slope.const_data_ptr<T>() + b * h * c;
      T* dx = to.x.mutable_data_ptr<T>() + b * n * c;
      product<T>(true, false, h, c, n, 1, fc2, h, gradient, c, 0, dh, c);
      for (int64_t i = 0; i < h; ++i) {
        sums[parts.bias1 + i] += gelu_backward(c, dh + i * c, slopes + i * c, dh + i * c);
      }
      for (int64_t i = 0; i < n; ++i) sums[parts.bias2 + i] += sum_of(c, gradient + i * c);
      product<T>(false, true, h, n, c, 1, dh, c, x, c, 1, sums + parts.fc1, n);
      product<T>(false, true, n, h, c, 1, gradient, c, g.const_data_ptr<T>() + b * h * c, c, 1,
                 sums + parts.fc2, h);
      product<T>(true, false, n, c, h, 1, fc1, n, dh, c, 0, dx, c);
      if (!call.distance.defined()) continue;
      backward_of_mask(call, b, x, gradient, dx, sums + parts.product, to, work);
    }
  });
}

struct TokenMlp : torch::autograd::Function<TokenMlp> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& fc1,
                            const at::Tensor& bias1, const at::Tensor& fc2, const at::Tensor& bias2,
                            const std::optional<at::Tensor>& distance,
                            const std::optional<at::Tensor>& kappa, bool keep) {
    Call call{x.contiguous(),
              fc1.contiguous(),
              bias1.contiguous(),
              fc2.contiguous(),
              bias2.contiguous(),
              {},
              {}};
    if (distance) {
      call.distance = distance->to(x.scalar_type()).contiguous();
      call.product = at::mm(call.fc2, call.fc1);
      call.kappa = kappa->item<double>();
      context->saved_data["distance_type"] = distance->scalar_type();
    }
    const at::Tensor y = at::empty_like(call.x);
    at::Tensor g, slope;
    if (keep) {
      g = at::empty({call.batch(), call.hidden(), call.channels()}, call.x.options());
      slope = at::empty_like(g);
    }
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "token_mlp",
                               [&] { kernels::forward<scalar_t>(call, y, g, slope); });
    context->save_for_backward({call.x, call.fc1, call.bias1, call.fc2, call.bias2, call.distance,
                                call.product, kappa.value_or(at::Tensor()), g, slope});
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    refuse_second_derivative("token_mlp");
    const auto saved = context->get_saved_variables();
    const at::Tensor& kappa = saved[7];
    const Call call{saved[0], saved[1], saved[2], saved[3],
                    saved[4], saved[5], saved[6], kappa.defined() ? kappa.item<double>() : 0};
    const at::Tensor dy = gradients[0].contiguous();
    const Parts parts(call);
    Gradients to;
    to.x = at::empty_like(call.x);
    to.sums = at::zeros({call.groups(), parts.end}, call.x.options());
    if (kappa.defined()) {
      to.kappas = at::empty({call.batch()}, call.x.options().dtype(at::kDouble));
      if (context->needs_input_grad(5)) to.distance = at::empty_like(call.distance);
    }
    AT_DISPATCH_FLOATING_TYPES(dy.scalar_type(), "token_mlp_backward", [&] {
      kernels::backward<scalar_t>(call, saved[8], saved[9], dy, to);
    });
    const at::Tensor sums = to.sums.sum(0);
    const auto part = [&sums](int64_t begin, const at::Tensor& like) {
      return sums.narrow(0, begin, like.numel()).view(like.sizes());
    };
    variable_list all{to.x,
                      part(parts.fc1, call.fc1),
                      part(parts.bias1, call.bias1),
                      part(parts.fc2, call.fc2),
                      part(parts.bias2, call.bias2),
                      at::Tensor(),
                      at::Tensor(),
                      at::Tensor()};
    if (!kappa.defined()) return all;
    const at::Tensor dproduct = part(parts.product, call.product);
    all[1] = all[1].addmm(call.fc2.t(), dproduct);
    all[3] = all[3].addmm(dproduct, call.fc1.t());
    if (to.distance.defined())
      all[5] = to.distance.to(context->saved_data["distance_type"].toScalarType());
    all[6] = sum_in_order(to.kappas, kappa);
    return all;
  }
};

}  // namespace

bool cpu_token_mlp_takes(const at::Tensor& x, const TokenMlpWeights& weights) {
  if (!has_blas() || autocast_on_cpu() ||
      !cpu_loops_take({x, weights.fc1, weights.bias1, weights.fc2, weights.bias2})) {
    return false;
  }
  const int64_t patches = x.dim() == 3 ? x.size(1) : 0, hidden = weights.bias1.numel();
  return weights.fc1.sizes().equals({hidden, patches}) &&
         weights.fc2.sizes().equals({patches, hidden}) && weights.bias2.numel() == patches;
}

at::Tensor cpu_token_mlp(const at::Tensor& x, const TokenMlpWeights& weights,
                         const std::optional<at::Tensor>& distance,
                         const std::optional<at::Tensor>& kappa) {
  return TokenMlp::apply(x, weights.fc1, weights.bias1, weights.fc2, weights.bias2, distance, kappa,
                         at::GradMode::is_enabled());
}

}  // namespace remixer::kernels
