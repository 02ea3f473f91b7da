// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/masked_conv2d_cpu.h"

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "core/kernels/cpu_tensors.h"
#include "core/kernels/masked_conv2d_loops.h"

namespace remixer::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// One call's tensors: x channels-last; kernels [S², K], K = 1 or C, so that the channels of a place
// are contiguous; distance [B, N, N] and mask [B, N, S²] contiguous, undefined if M = 1.
struct Call {
  ConvShape shape;
  bool shared;
  at::Tensor x, kernels, distance, mask;
  double kappa;

  int64_t batch() const { return x.size(0); }
  int64_t image() const { return shape.patches() * shape.channels; }
  int64_t table() const { return shape.patches() * shape.places(); }
};

at::Tensor channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor new_image_batch(const at::Tensor& x) {
  return at::empty(x.sizes(), x.options().memory_format(at::MemoryFormat::ChannelsLast));
}

Call make_call(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& distance,
               const at::Tensor& mask, double kappa) {
  return {.shape = {x.size(2), x.size(3), x.size(1), weight.size(2)},
          .shared = weight.size(0) == 1,
          .x = x,
          .kernels = weight.flatten(1).t().contiguous(),
          .distance = distance,
          .mask = mask,
          .kappa = kappa};
}

// Image b's part of a tensor whose images have `count` numbers; null if it is undefined.
template <typename T>
const T* part(const at::Tensor& tensor, int64_t b, int64_t count) {
  return tensor.defined() ? tensor.const_data_ptr<T>() + b * count : nullptr;
}
template <typename T>
T* mutable_part(const at::Tensor& tensor, int64_t b, int64_t count) {
  return tensor.defined() ? tensor.mutable_data_ptr<T>() + b * count : nullptr;
}

// table_is = mask_is w_s.
template <typename T>
void fill_table(const Call& call, const T* weight, const T* mask, T* table) {
  const int64_t places = call.shape.places();
  for (int64_t i = 0; i < call.shape.patches(); ++i, table += places) {
    for (int64_t s = 0; s < places; ++s) {
      table[s] = mask == nullptr ? weight[s] : mask[i * places + s] * weight[s];
    }
  }
}

template <typename T>
void forward(const Call& call, const at::Tensor& bias, const at::Tensor& y) {
  const T* weight = call.kernels.const_data_ptr<T>();
  const int64_t patches = call.shape.patches();
  at::parallel_for(0, call.batch(), 1, [&](int64_t begin, int64_t end) {
    std::vector<T> table(call.shared ? call.table() : 0);
    for (int64_t b = begin; b < end; ++b) {
      const T* x = part<T>(call.x, b, call.image());
      T* mask = mutable_part<T>(call.mask, b, call.table());
      T* out = mutable_part<T>(y, b, call.image());
      if (mask != nullptr) {
        neighbour_mask(call.shape, part<T>(call.distance, b, patches * patches),
                       static_cast<T>(call.kappa), mask);
      }
      if (call.shared) {
        fill_table(call, weight, mask, table.data());
        conv_shared(call.shape, x, table.data(), bias.defined() ? *bias.const_data_ptr<T>() : T(0),
                    out);
      } else {
        conv_full(call.shape, x, weight, mask, part<T>(bias, 0, 0), out);
      }
    }
  });
}

// Per image: dweight [B, S², K], the sums of dy's channels [B, C] and dκ [B], to be summed in the
// images' order. biases and distance are undefined if nobody wants them.
struct Gradients {
  at::Tensor x, weights, biases, kappas, distance;
};

// dx and this image's part of dweight; dmask if there is a mask.
template <typename T>
void backward_shared(const Call& call, const T* x, const T* mask, const T* dy, T* dx, T* dweight,
                     T* dmask, std::vector<T>& table, std::vector<T>& transposed) {
  const T* weight = call.kernels.const_data_ptr<T>();
  const int64_t places = call.shape.places();
  fill_table(call, weight, mask, table.data());
  transpose_table(call.shape, table.data(), transposed.data());
  conv_shared(call.shape, dy, transposed.data(), T(0), dx);
  T* slopes = mask == nullptr ? table.data() : dmask;
  conv_shared_slopes(call.shape, x, dy, slopes);
  std::fill_n(dweight, places, T(0));
  for (int64_t i = 0; i < call.shape.patches(); ++i, slopes += places) {
    for (int64_t s = 0; s < places; ++s) {
      dweight[s] += mask == nullptr ? slopes[s] : mask[i * places + s] * slopes[s];
    }
    if (mask == nullptr) continue;
    for (int64_t s = 0; s < places; ++s) slopes[s] *= weight[s];
  }
}

template <typename T>
void backward(const Call& call, const at::Tensor& dy, const Gradients& to) {
  const int64_t patches = call.shape.patches();
  at::parallel_for(0, call.batch(), 1, [&](int64_t begin, int64_t end) {
    std::vector<T> table(call.shared ? call.table() : 0), transposed(table.size());
    std::vector<T> dmask(call.mask.defined() ? call.table() : 0);
    for (int64_t b = begin; b < end; ++b) {
      const T* x = part<T>(call.x, b, call.image());
      const T* mask = part<T>(call.mask, b, call.table());
      const T* gradient = part<T>(dy, b, call.image());
      T* dx = mutable_part<T>(to.x, b, call.image());
      T* dweight = mutable_part<T>(to.weights, b, call.kernels.numel());
      if (call.shared) {
        backward_shared(call, x, mask, gradient, dx, dweight, dmask.data(), table, transposed);
      } else {
        conv_full_backward(call.shape, x, call.kernels.const_data_ptr<T>(), mask, gradient, dx,
                           dweight, dmask.data());
      }
      if (to.biases.defined()) {
        channel_sums(call.shape, gradient, mutable_part<T>(to.biases, b, call.shape.channels));
      }
      if (mask == nullptr) continue;
      to.kappas.mutable_data_ptr<double>()[b] = neighbour_mask_backward(
          call.shape, part<T>(call.distance, b, patches * patches), static_cast<T>(call.kappa),
          mask, dmask.data(), mutable_part<T>(to.distance, b, patches * patches));
    }
  });
}

struct Convolution : torch::autograd::Function<Convolution> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x_in,
                            const at::Tensor& weight, const std::optional<at::Tensor>& bias_in,
                            const std::optional<at::Tensor>& distance_in,
                            const std::optional<at::Tensor>& kappa_in) {
    const at::Tensor x = channels_last(x_in);
    const at::Tensor bias = bias_in ? bias_in->contiguous() : at::Tensor();
    at::Tensor distance, kappa, mask;
    double value = 0;
    if (distance_in) {
      distance = distance_in->to(x.scalar_type()).contiguous();
      kappa = *kappa_in;
      value = kappa.item<double>();
      const int64_t places = weight.size(2) * weight.size(3);
      mask = at::empty({x.size(0), distance.size(1), places}, distance.options());
    }
    const at::Tensor y = new_image_batch(x);
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "masked_conv2d", [&] {
      kernels::forward<scalar_t>(make_call(x, weight, distance, mask, value), bias, y);
    });
    context->save_for_backward({x, weight, bias, distance, kappa, mask});
    if (distance_in) context->saved_data["distance_type"] = distance_in->scalar_type();
    return y;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    refuse_second_derivative("masked_conv2d");
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &bias = saved[2], &distance = saved[3],
                     &kappa = saved[4];
    const at::Tensor dy = channels_last(gradients[0]);
    const Call call =
        make_call(x, weight, distance, saved[5], kappa.defined() ? kappa.item<double>() : 0);
    Gradients to;
    to.x = new_image_batch(x);
    to.weights = at::empty({call.batch(), call.kernels.size(0), call.kernels.size(1)}, x.options());
    if (kappa.defined()) to.kappas = at::empty({call.batch()}, x.options().dtype(at::kDouble));
    if (bias.defined()) to.biases = at::empty({call.batch(), call.shape.channels}, x.options());
    // An absent bias has no edge of its own.
    if (kappa.defined() && context->needs_input_grad(bias.defined() ? 3 : 2)) {
      to.distance = at::zeros_like(distance);
    }
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "masked_conv2d_backward",
                               [&] { kernels::backward<scalar_t>(call, dy, to); });
    variable_list all{to.x, to.weights.sum(0).t().reshape(weight.sizes()), at::Tensor(),
                      at::Tensor(), at::Tensor()};
    if (bias.defined()) {
      const at::Tensor sums = to.biases.sum(0);
      all[2] = call.shared ? sums.sum().view({1}) : sums;
    }
    if (to.distance.defined())
      all[3] = to.distance.to(context->saved_data["distance_type"].toScalarType());
    if (kappa.defined()) all[4] = sum_in_order(to.kappas, kappa);
    return all;
  }
};

}  // namespace

at::Tensor cpu_conv2d(const at::Tensor& x, const at::Tensor& weight,
                      const std::optional<at::Tensor>& bias,
                      const std::optional<at::Tensor>& distance,
                      const std::optional<at::Tensor>& kappa) {
  return Convolution::apply(x, weight, bias, distance, kappa);
}

}  // namespace remixer::kernels
