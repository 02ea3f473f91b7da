// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/masked_conv2d_loops.h"

#include <algorithm>

#include "core/kernels/avx2.h"

namespace remixer::kernels {
namespace {

// Calls f(s, j) for the places under the kernel at patch (row, column) inside the image.
template <typename F>
REMIXER_BODY void for_neighbours(const ConvShape& shape, int64_t row, int64_t column, F&& f) {
  const int64_t reach = shape.kernel / 2;
  const int64_t first_row = std::max<int64_t>(row - reach, 0);
  const int64_t last_row = std::min(row + reach, shape.height - 1);
  const int64_t first_column = std::max<int64_t>(column - reach, 0);
  const int64_t last_column = std::min(column + reach, shape.width - 1);
  for (int64_t r = first_row; r <= last_row; ++r) {
    const int64_t s0 = (r - row + reach) * shape.kernel + reach - column, j0 = r * shape.width;
    for (int64_t c = first_column; c <= last_column; ++c) f(s0 + c, j0 + c);
  }
}

// Channels [from, from + count) of patch i; count is a constant if the sums are to stay in
// registers.
template <typename T>
REMIXER_BODY void forward_channels(const ConvShape& shape, const T* x, const T* weight,
                                   const T* mask, int64_t row, int64_t column, int64_t from,
                                   int64_t count, T* sums) {
  for (int64_t c = 0; c < count; ++c) sums[c] = 0;
  for_neighbours(
      shape, row, column, [&](int64_t s, int64_t j) __attribute__((always_inline)) {
        const T m = mask == nullptr ? T(1) : mask[s];
        const T* in = x + j * shape.channels + from;
        if (shape.shared) {
          const T a = m * weight[s];
          for (int64_t c = 0; c < count; ++c) sums[c] += a * in[c];
        } else {
          const T* w = weight + s * shape.channels + from;
          for (int64_t c = 0; c < count; ++c) sums[c] += m * w[c] * in[c];
        }
      });
}

template <typename T>
REMIXER_BODY void forward_body(const ConvShape& shape, const T* x, const T* weight, const T* mask,
                               T* y) {
  constexpr int64_t kLanes = 32;
  const int64_t places = shape.kernel * shape.kernel;
  for (int64_t i = 0; i < shape.height * shape.width; ++i) {
    const int64_t row = i / shape.width, column = i % shape.width;
    const T* m = mask == nullptr ? nullptr : mask + i * places;
    T* out = y + i * shape.channels;
    int64_t c = 0;
    for (; c + kLanes <= shape.channels; c += kLanes) {
      T sums[kLanes];
      forward_channels(shape, x, weight, m, row, column, c, kLanes, sums);
      std::copy(sums, sums + kLanes, out + c);
    }
    if (c < shape.channels) {
      T sums[kLanes];
      forward_channels(shape, x, weight, m, row, column, c, shape.channels - c, sums);
      std::copy(sums, sums + (shape.channels - c), out + c);
    }
  }
}

// One kernel for all channels: weight and mask only need Σ_c x_jc dy_ic.
template <typename T>
REMIXER_BODY void backward_shared(int64_t channels, const T* in, const T* gradient, T weight, T m,
                                  T* dx, T* dweight, T* dmask) {
  const T a = weight * m;
  T dot = 0;
#pragma omp simd reduction(+ : dot)
  for (int64_t c = 0; c < channels; ++c) {
    dx[c] += a * gradient[c];
    dot += in[c] * gradient[c];
  }
  *dweight += m * dot;
  *dmask = weight * dot;
}

template <typename T>
REMIXER_BODY void backward_full(int64_t channels, const T* in, const T* gradient, const T* weight,
                                T m, T* dx, T* dweight, T* dmask) {
  T dot = 0;
#pragma omp simd reduction(+ : dot)
  for (int64_t c = 0; c < channels; ++c) {
    const T weighted = weight[c] * gradient[c], product = in[c] * gradient[c];
    dx[c] += m * weighted;
    dweight[c] += m * product;
    dot += in[c] * weighted;
  }
  *dmask = dot;
}

template <typename T>
REMIXER_BODY void backward_body(const ConvShape& shape, const T* x, const T* weight, const T* mask,
                                const T* dy, T* dx, T* dweight, T* dmask) {
  const int64_t places = shape.kernel * shape.kernel, patches = shape.height * shape.width;
  const int64_t channels = shape.channels;
  std::fill_n(dx, patches * channels, T(0));
  std::fill_n(dweight, places * (shape.shared ? 1 : channels), T(0));
  if (mask != nullptr) std::fill_n(dmask, patches * places, T(0));
  for (int64_t i = 0; i < patches; ++i) {
    const T* gradient = dy + i * channels;
    for_neighbours(
        shape, i / shape.width,
        i % shape.width, [&](int64_t s, int64_t j) __attribute__((always_inline)) {
          const T m = mask == nullptr ? T(1) : mask[i * places + s];
          T unused = 0;
          T* to_mask = mask == nullptr ? &unused : dmask + i * places + s;
          const T* in = x + j * channels;
          T* out = dx + j * channels;
          if (shape.shared) {
            backward_shared(channels, in, gradient, weight[s], m, out, dweight + s, to_mask);
          } else {
            backward_full(channels, in, gradient, weight + s * channels, m, out,
                          dweight + s * channels, to_mask);
          }
        });
  }
}

template <typename T>
REMIXER_AVX2 void forward_avx2(const ConvShape& shape, const T* x, const T* weight, const T* mask,
                               T* y) {
  forward_body(shape, x, weight, mask, y);
}

template <typename T>
REMIXER_AVX2 void backward_avx2(const ConvShape& shape, const T* x, const T* weight, const T* mask,
                                const T* dy, T* dx, T* dweight, T* dmask) {
  backward_body(shape, x, weight, mask, dy, dx, dweight, dmask);
}

}  // namespace

const char* conv_loops() {
  return has_avx2() ? "avx2" : "plain";
}

template <typename T>
void conv_forward(const ConvShape& shape, const T* x, const T* weight, const T* mask, T* y) {
  if (has_avx2()) {
    forward_avx2(shape, x, weight, mask, y);
  } else {
    forward_body(shape, x, weight, mask, y);
  }
}

template <typename T>
void conv_backward(const ConvShape& shape, const T* x, const T* weight, const T* mask, const T* dy,
                   T* dx, T* dweight, T* dmask) {
  if (has_avx2()) {
    backward_avx2(shape, x, weight, mask, dy, dx, dweight, dmask);
  } else {
    backward_body(shape, x, weight, mask, dy, dx, dweight, dmask);
  }
}

template void conv_forward(const ConvShape&, const float*, const float*, const float*, float*);
template void conv_forward(const ConvShape&, const double*, const double*, const double*, double*);
template void conv_backward(const ConvShape&, const float*, const float*, const float*,
                            const float*, float*, float*, float*);
template void conv_backward(const ConvShape&, const double*, const double*, const double*,
                            const double*, double*, double*, double*);

}  // namespace remixer::kernels
