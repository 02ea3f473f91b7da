// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/masked_attention_cpu.h"

#include <ATen/Dispatch.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <vector>

#include "core/kernels/attention_loops.h"
#include "core/kernels/cpu_tensors.h"
#include "core/kernels/one_thread_each.h"

namespace remixer::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Rows of scores per block: for T up to about a thousand, both of a thread's blocks fit in its L2
// cache.
constexpr int64_t kMostRows = 112;

// One head's matrix: rows of D numbers, `stride` apart.
template <typename T>
struct Rows {
  T* data;
  int64_t stride;
  T* row(int64_t i) const { return data + i * stride; }
};

// c [rows, columns] = alpha · a [rows, inner] · b [columns, inner]ᵀ.
template <typename T>
void times_transposed(int64_t rows, int64_t columns, int64_t inner, T alpha, Rows<const T> a,
                      Rows<const T> b, T* c) {
  product<T>(false, true, rows, columns, inner, alpha, a.data, a.stride, b.data, b.stride, 0, c,
             columns);
}
// c [rows, columns] = alpha · a [rows, inner], dense · b [inner, columns].
template <typename T>
void times(int64_t rows, int64_t columns, int64_t inner, T alpha, const T* a, Rows<const T> b,
           Rows<T> c) {
  product<T>(false, false, rows, columns, inner, alpha, a, inner, b.data, b.stride, 0, c.data,
             c.stride);
}
// c [rows, columns] = alpha · a [inner, rows]ᵀ, dense · b [inner, columns] (+ c).
template <typename T>
void transposed_times(int64_t rows, int64_t columns, int64_t inner, T alpha, const T* a,
                      Rows<const T> b, Rows<T> c, bool add) {
  product<T>(true, false, rows, columns, inner, alpha, a, rows, b.data, b.stride, T(add ? 1 : 0),
             c.data, c.stride);
}

struct Shape {
  int64_t batch, heads, tokens, width, prefix;
  int64_t patches() const { return tokens - prefix; }
  int64_t block() const {
    const int64_t blocks = (tokens + kMostRows - 1) / kMostRows;
    return (tokens + blocks - 1) / blocks;
  }
};

Shape shape_of(const at::Tensor& q, int64_t prefix) {
  return {q.size(0), q.size(1), q.size(2), q.size(3), prefix};
}

template <typename T>
Rows<const T> head_of(const at::Tensor& x, int64_t b, int64_t h) {
  // A single row may have any stride.
  return {x.const_data_ptr<T>() + b * x.stride(0) + h * x.stride(1),
          std::max(x.stride(2), x.size(3))};
}
template <typename T>
Rows<T> mutable_head_of(const at::Tensor& x, int64_t b, int64_t h) {
  return {x.data_ptr<T>() + b * x.stride(0) + h * x.stride(1), x.stride(2)};
}

// x itself if BLAS can take its rows, else a copy.
at::Tensor readable(const at::Tensor& x) {
  return x.stride(3) == 1 && x.stride(2) >= x.size(3) ? x : x.contiguous();
}

// [B, H, T, D] stored as [B, T, H, D], since the next operation wants the heads side by side.
at::Tensor new_heads(const at::Tensor& like) {
  return at::empty({like.size(0), like.size(2), like.size(1), like.size(3)},
                   like.options().memory_format(std::nullopt))
      .transpose(1, 2);
}

template <typename T>
RowMask<T> mask_of(const at::Tensor& distance, const Shape& s, int64_t b, int64_t i, T kappa) {
  if (i < s.prefix) return {};
  const int64_t n = s.patches();
  return {distance.const_data_ptr<T>() + (b * n + i - s.prefix) * n, s.prefix, kappa};
}

// Runs body(b, h) for each head of each image.
template <typename Body>
void for_heads(const Shape& s, const Body& body) {
  one_thread_each(s.batch * s.heads, [&](int64_t i) { body(i / s.heads, i % s.heads); });
}

template <typename T>
void forward(const Shape& s, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
             const at::Tensor& distance, T kappa, T scale, const at::Tensor& out,
             const at::Tensor& log_sums) {
  for_heads(s, [&](int64_t b, int64_t h) {
    const int64_t block = s.block();
    const auto scores = scratch<T>(block * s.tokens);
    const auto keys = head_of<T>(k, b, h), values = head_of<T>(v, b, h),
               queries = head_of<T>(q, b, h);
    const auto to = mutable_head_of<T>(out, b, h);
    T* log_sum = log_sums.data_ptr<T>() + (b * s.heads + h) * s.tokens;
    std::vector<T> sums(block);
    for (int64_t from = 0; from < s.tokens; from += block) {
      const int64_t rows = std::min(block, s.tokens - from);
      times_transposed<T>(rows, s.tokens, s.width, scale, {queries.row(from), queries.stride}, keys,
                          scores.get());
      for (int64_t r = 0; r < rows; ++r) {
        const T most = softmax_row(scores.get() + r * s.tokens, s.tokens,
                                   mask_of<T>(distance, s, b, from + r, kappa), &sums[r]);
        log_sum[from + r] = most + std::log(sums[r]);
      }
      times<T>(rows, s.width, s.tokens, 1, scores.get(), values, {to.row(from), to.stride});
      for (int64_t r = 0; r < rows; ++r) {
        T* row = to.row(from + r);
        const T factor = 1 / sums[r];
        for (int64_t c = 0; c < s.width; ++c) row[c] *= factor;
      }
    }
  });
}

struct Gradients {
  at::Tensor q, k, v, kappa;  // kappa: one partial sum per head
};

template <typename T>
void backward(const Shape& s, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
              const at::Tensor& distance, T kappa, T scale, const at::Tensor& log_sums,
              const at::Tensor& d_out, const Gradients& to) {
  for_heads(s, [&](int64_t b, int64_t h) {
    const int64_t block = s.block();
    const auto scores = scratch<T>(block * s.tokens);
    const auto slopes = scratch<T>(block * s.tokens);
    const auto keys = head_of<T>(k, b, h), values = head_of<T>(v, b, h);
    const auto queries = head_of<T>(q, b, h), gradients = head_of<T>(d_out, b, h);
    const auto dq = mutable_head_of<T>(to.q, b, h), dk = mutable_head_of<T>(to.k, b, h),
               dv = mutable_head_of<T>(to.v, b, h);
    const T* log_sum = log_sums.const_data_ptr<T>() + (b * s.heads + h) * s.tokens;
    double d_kappa = 0;
    for (int64_t from = 0; from < s.tokens; from += block) {
      const int64_t rows = std::min(block, s.tokens - from);
      const Rows<const T> own{queries.row(from), queries.stride};
      const Rows<const T> own_gradients{gradients.row(from), gradients.stride};
      times_transposed<T>(rows, s.tokens, s.width, scale, own, keys, scores.get());
      times_transposed<T>(rows, s.tokens, s.width, 1, own_gradients, values, slopes.get());
      for (int64_t r = 0; r < rows; ++r) {
        d_kappa -= backward_row(scores.get() + r * s.tokens, slopes.get() + r * s.tokens, s.tokens,
                                mask_of<T>(distance, s, b, from + r, kappa), log_sum[from + r]);
      }
      times<T>(rows, s.width, s.tokens, scale, slopes.get(), keys, {dq.row(from), dq.stride});
      transposed_times<T>(s.tokens, s.width, rows, scale, slopes.get(), own, dk, from > 0);
      transposed_times<T>(s.tokens, s.width, rows, 1, scores.get(), own_gradients, dv, from > 0);
    }
    to.kappa.data_ptr<double>()[b * s.heads + h] = d_kappa;
  });
}

struct Attention : torch::autograd::Function<Attention> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q_in,
                            const at::Tensor& k_in, const at::Tensor& v_in,
                            const at::Tensor& distance_in, const at::Tensor& kappa,
                            int64_t prefix_tokens, double scale) {
    const at::Tensor q = readable(q_in), k = readable(k_in), v = readable(v_in);
    const at::Tensor distance = distance_in.to(q.scalar_type()).contiguous();
    const Shape shape = shape_of(q, prefix_tokens);
    const at::Tensor out = new_heads(q);
    const at::Tensor log_sums =
        at::empty({q.size(0), q.size(1), q.size(2)}, q.options().memory_format(std::nullopt));
    AT_DISPATCH_FLOATING_TYPES(q.scalar_type(), "masked_attention", [&] {
      kernels::forward<scalar_t>(shape, q, k, v, distance, kappa.item<scalar_t>(),
                                 static_cast<scalar_t>(scale), out, log_sums);
    });
    context->save_for_backward({q, k, v, distance, kappa, log_sums});
    context->saved_data["prefix_tokens"] = prefix_tokens;
    context->saved_data["scale"] = scale;
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &q = saved[0], &kappa = saved[4];
    const Shape shape = shape_of(q, context->saved_data["prefix_tokens"].toInt());
    const at::Tensor d_out = readable(gradients[0]);
    const Gradients to{new_heads(q), new_heads(q), new_heads(q),
                       at::empty({shape.batch * shape.heads}, q.options().dtype(at::kDouble))};
    AT_DISPATCH_FLOATING_TYPES(q.scalar_type(), "masked_attention_backward", [&] {
      kernels::backward<scalar_t>(shape, q, saved[1], saved[2], saved[3], kappa.item<scalar_t>(),
                                  static_cast<scalar_t>(context->saved_data["scale"].toDouble()),
                                  saved[5], d_out, to);
    });
    return {to.q,         to.k,        to.v, at::Tensor(), sum_in_order(to.kappa, kappa),
            at::Tensor(), at::Tensor()};
  }
};

}  // namespace

bool cpu_attention_takes(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  return has_blas() && cpu_loops_take({q, k, v});
}

at::Tensor cpu_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                         const at::Tensor& distance, const at::Tensor& kappa, int64_t prefix_tokens,
                         double scale) {
  return Attention::apply(q, k, v, distance, kappa, prefix_tokens, scale);
}

}  // namespace remixer::kernels
