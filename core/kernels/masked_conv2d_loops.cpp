// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/masked_conv2d_loops.h"

#include <algorithm>

#include "core/kernels/exponential.h"

namespace remixer::kernels {
namespace {

// Sums that stay in registers: kPatches neighbours of a row times kLanes channels, so that a value
// of x is read once for kPatches products.
template <typename T, VectorLevel kLevel>
struct Tile {
  static constexpr bool kWide = kLevel == VectorLevel::kAvx512;
  static constexpr int64_t kPatches = kWide ? 4 : 2;
  static constexpr int64_t kLanes = (kWide ? 256 : 128) / sizeof(T);
  static constexpr int64_t kFewLanes = 128 / sizeof(T);
};

// From the first to the last row (or column) under the kernel at `place` that is inside the image.
struct Window {
  int64_t first, last;
};
REMIXER_BODY Window window(int64_t place, int64_t reach, int64_t size) {
  return {std::max<int64_t>(place - reach, 0), std::min(place + reach, size - 1)};
}

// Calls f(s, j, count) for each row under the kernel at patch (row, column): the places from s on
// and the patches from j on, `count` of each.
template <typename F>
REMIXER_BODY void for_rows(const ConvShape& shape, int64_t row, int64_t column, const F& f) {
  const int64_t reach = shape.kernel / 2;
  const Window rows = window(row, reach, shape.height),
               columns = window(column, reach, shape.width);
  for (int64_t r = rows.first; r <= rows.last; ++r) {
    f((r - row + reach) * shape.kernel + columns.first - column + reach,
      r * shape.width + columns.first, columns.last - columns.first + 1);
  }
}

template <typename T>
REMIXER_BODY void mask_body(const ConvShape& shape, const T* distance, T kappa, T* mask) {
  std::fill_n(mask, shape.patches() * shape.places(), T(0));
  for (int64_t i = 0; i < shape.patches(); ++i) {
    T* own = mask + i * shape.places();
    const T* d = distance + i * shape.patches();
    for_rows(shape, i / shape.width, i % shape.width,
             [&](int64_t s, int64_t j, int64_t count) REMIXER_INLINED {
               for (int64_t n = 0; n < count; ++n) own[s + n] = exponential(-kappa * d[j + n]);
             });
  }
}

// kPatches patches from (row, column) on, kLanes channels from `from` on.
template <int64_t kPatches, int64_t kLanes, typename T>
REMIXER_BODY void shared_tile(const ConvShape& shape, const T* x, const T* table, T bias, T* y,
                              int64_t row, int64_t column, int64_t from) {
  T sums[kPatches][kLanes];
  for (int64_t p = 0; p < kPatches; ++p) {
    for (int64_t l = 0; l < kLanes; ++l) sums[p][l] = bias;
  }
  const int64_t reach = shape.kernel / 2, places = shape.places();
  const Window rows = window(row, reach, shape.height);
  const Window first = window(column, reach, shape.width),
               last = window(column + kPatches - 1, reach, shape.width);
  const int64_t own = row * shape.width + column;
  for (int64_t r = rows.first; r <= rows.last; ++r) {
    // a[p * (places - 1) + c]: of column c, seen from patch p.
    const T* a = table + own * places + (r - row + reach) * shape.kernel + reach - column;
    const T* in = x + r * shape.width * shape.channels + from;
    const auto add = [&](int64_t p, int64_t c) REMIXER_INLINED {
      const T weight = a[p * (places - 1) + c];
      for (int64_t l = 0; l < kLanes; ++l) sums[p][l] += weight * in[c * shape.channels + l];
    };
    const auto add_some = [&](int64_t begin, int64_t end) REMIXER_INLINED {
      for (int64_t c = begin; c < end; ++c) {
        for (int64_t p = 0; p < kPatches; ++p) {
          if (c >= column + p - reach && c <= column + p + reach) add(p, c);
        }
      }
    };
    // The columns that all patches see lie between two groups that only some see.
    const int64_t end = last.last + 1, all_begin = std::min(last.first, end),
                  all_end = std::max(first.last + 1, all_begin);
    add_some(first.first, all_begin);
    for (int64_t c = all_begin; c < all_end; ++c) {
      for (int64_t p = 0; p < kPatches; ++p) add(p, c);
    }
    add_some(all_end, end);
  }
  for (int64_t p = 0; p < kPatches; ++p) {
    T* out = y + (own + p) * shape.channels + from;
    for (int64_t l = 0; l < kLanes; ++l) out[l] = sums[p][l];
  }
}

template <int64_t kPatches, int64_t kLanes, typename T>
REMIXER_BODY void shared_channels(const ConvShape& shape, const T* x, const T* table, T bias, T* y,
                                  int64_t from) {
  for (int64_t row = 0; row < shape.height; ++row) {
    int64_t column = 0;
    for (; column + kPatches <= shape.width; column += kPatches) {
      shared_tile<kPatches, kLanes>(shape, x, table, bias, y, row, column, from);
    }
    for (; column < shape.width; ++column) {
      shared_tile<1, kLanes>(shape, x, table, bias, y, row, column, from);
    }
  }
}

template <VectorLevel kLevel, typename T>
REMIXER_BODY void shared_body(const ConvShape& shape, const T* x, const T* table, T bias, T* y) {
  using Size = Tile<T, kLevel>;
  int64_t c = 0;
  for (; c + Size::kLanes <= shape.channels; c += Size::kLanes) {
    shared_channels<Size::kPatches, Size::kLanes>(shape, x, table, bias, y, c);
  }
  for (; c + Size::kFewLanes <= shape.channels; c += Size::kFewLanes) {
    shared_channels<Size::kPatches, Size::kFewLanes>(shape, x, table, bias, y, c);
  }
  for (; c < shape.channels; ++c) shared_channels<1, 1>(shape, x, table, bias, y, c);
}

// Σ_c a_c b_qc for kCount rows of b, side by side.
template <int64_t kCount, typename T>
REMIXER_BODY void products(int64_t channels, const T* a, const T* b, T* to) {
  constexpr int64_t kLanes = 128 / sizeof(T);
  T sums[kCount][kLanes];
  for (int64_t q = 0; q < kCount; ++q) {
    for (int64_t l = 0; l < kLanes; ++l) sums[q][l] = 0;
  }
  int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) {
    for (int64_t q = 0; q < kCount; ++q) {
      for (int64_t l = 0; l < kLanes; ++l) sums[q][l] += a[c + l] * b[q * channels + c + l];
    }
  }
  for (int64_t q = 0; q < kCount; ++q) {
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t l = 0; l < kLanes; ++l) sum += sums[q][l];
    for (int64_t rest = c; rest < channels; ++rest) sum += a[rest] * b[q * channels + rest];
    to[q] = sum;
  }
}

template <typename T>
REMIXER_BODY void slopes_body(const ConvShape& shape, const T* x, const T* dy, T* dtable) {
  constexpr int64_t kTogether = 4;
  std::fill_n(dtable, shape.patches() * shape.places(), T(0));
  for (int64_t i = 0; i < shape.patches(); ++i) {
    const T* gradient = dy + i * shape.channels;
    T* own = dtable + i * shape.places();
    for_rows(shape, i / shape.width, i % shape.width,
             [&](int64_t s, int64_t j, int64_t count) REMIXER_INLINED {
               int64_t n = 0;
               for (; n + kTogether <= count; n += kTogether) {
                 products<kTogether>(shape.channels, gradient, x + (j + n) * shape.channels,
                                     own + s + n);
               }
               for (; n < count; ++n) {
                 products<1>(shape.channels, gradient, x + (j + n) * shape.channels, own + s + n);
               }
             });
  }
}

// Channels [from, from + kLanes) of patch i.
template <int64_t kLanes, typename T>
REMIXER_BODY void full_channels(const ConvShape& shape, const T* x, const T* weight, const T* mask,
                                const T* bias, T* y, int64_t i, int64_t from) {
  T sums[kLanes];
  for (int64_t l = 0; l < kLanes; ++l) sums[l] = 0;
  for_rows(shape, i / shape.width, i % shape.width,
           [&](int64_t s, int64_t j, int64_t count) REMIXER_INLINED {
             for (int64_t n = 0; n < count; ++n) {
               const T m = mask == nullptr ? T(1) : mask[i * shape.places() + s + n];
               const T* in = x + (j + n) * shape.channels + from;
               const T* w = weight + (s + n) * shape.channels + from;
               for (int64_t l = 0; l < kLanes; ++l) sums[l] += m * w[l] * in[l];
             }
           });
  if (bias != nullptr) {
    for (int64_t l = 0; l < kLanes; ++l) sums[l] += bias[from + l];
  }
  T* out = y + i * shape.channels + from;
  for (int64_t l = 0; l < kLanes; ++l) out[l] = sums[l];
}

template <VectorLevel kLevel, typename T>
REMIXER_BODY void full_body(const ConvShape& shape, const T* x, const T* weight, const T* mask,
                            const T* bias, T* y) {
  constexpr int64_t kLanes = Tile<T, kLevel>::kLanes;
  for (int64_t i = 0; i < shape.patches(); ++i) {
    int64_t c = 0;
    for (; c + kLanes <= shape.channels; c += kLanes) {
      full_channels<kLanes>(shape, x, weight, mask, bias, y, i, c);
    }
    constexpr int64_t kFewLanes = Tile<T, kLevel>::kFewLanes;
    for (; c + kFewLanes <= shape.channels; c += kFewLanes) {
      full_channels<kFewLanes>(shape, x, weight, mask, bias, y, i, c);
    }
    for (; c < shape.channels; ++c) full_channels<1>(shape, x, weight, mask, bias, y, i, c);
  }
}

template <typename T>
REMIXER_BODY void full_neighbour(int64_t channels, const T* in, const T* gradient, const T* weight,
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
REMIXER_BODY void full_backward_body(const ConvShape& shape, const T* x, const T* weight,
                                     const T* mask, const T* dy, T* dx, T* dweight, T* dmask) {
  const int64_t channels = shape.channels;
  std::fill_n(dx, shape.patches() * channels, T(0));
  std::fill_n(dweight, shape.places() * channels, T(0));
  if (mask != nullptr) std::fill_n(dmask, shape.patches() * shape.places(), T(0));
  for (int64_t i = 0; i < shape.patches(); ++i) {
    for_rows(shape, i / shape.width, i % shape.width,
             [&](int64_t s0, int64_t j0, int64_t count) REMIXER_INLINED {
               for (int64_t n = 0; n < count; ++n) {
                 const int64_t s = s0 + n, j = j0 + n, entry = i * shape.places() + s;
                 T unused = 0;
                 full_neighbour(channels, x + j * channels, dy + i * channels,
                                weight + s * channels, mask == nullptr ? T(1) : mask[entry],
                                dx + j * channels, dweight + s * channels,
                                mask == nullptr ? &unused : dmask + entry);
               }
             });
  }
}

}  // namespace

template <typename T>
void neighbour_mask(const ConvShape& shape, const T* distance, T kappa, T* mask,
                    VectorLevel level) {
  run_at(level, [&](auto) REMIXER_INLINED { mask_body(shape, distance, kappa, mask); });
}

template <typename T>
double neighbour_mask_backward(const ConvShape& shape, const T* distance, T kappa, const T* mask,
                               const T* dmask, T* ddistance) {
  double sum = 0;
  for (int64_t i = 0; i < shape.patches(); ++i) {
    const int64_t own = i * shape.places(), row = i * shape.patches();
    for_rows(shape, i / shape.width, i % shape.width,
             [&](int64_t s, int64_t j, int64_t count) REMIXER_INLINED {
               T row_sum = 0;
#pragma omp simd reduction(+ : row_sum)
               for (int64_t n = 0; n < count; ++n) {
                 row_sum += distance[row + j + n] * mask[own + s + n] * dmask[own + s + n];
               }
               sum -= row_sum;
               if (ddistance == nullptr) return;
               for (int64_t n = 0; n < count; ++n) {
                 ddistance[row + j + n] -= kappa * mask[own + s + n] * dmask[own + s + n];
               }
             });
  }
  return sum;
}

template <typename T>
void transpose_table(const ConvShape& shape, const T* table, T* transposed) {
  const int64_t places = shape.places();
  std::fill_n(transposed, shape.patches() * places, T(0));
  for (int64_t j = 0; j < shape.patches(); ++j) {
    for_rows(shape, j / shape.width, j % shape.width,
             [&](int64_t s, int64_t i, int64_t count) REMIXER_INLINED {
               for (int64_t n = 0; n < count; ++n) {
                 transposed[j * places + s + n] = table[(i + n) * places + places - 1 - (s + n)];
               }
             });
  }
}

template <typename T>
void conv_shared(const ConvShape& shape, const T* x, const T* table, T bias, T* y,
                 VectorLevel level) {
  run_at(level, [&](auto wide) REMIXER_INLINED {
    shared_body<decltype(wide)::value>(shape, x, table, bias, y);
  });
}

template <typename T>
void conv_shared_slopes(const ConvShape& shape, const T* x, const T* dy, T* dtable,
                        VectorLevel level) {
  run_at(level, [&](auto) REMIXER_INLINED { slopes_body(shape, x, dy, dtable); });
}

template <typename T>
void channel_sums(const ConvShape& shape, const T* x, T* sums, VectorLevel level) {
  run_at(level, [&](auto) REMIXER_INLINED {
    std::fill_n(sums, shape.channels, T(0));
    for (int64_t i = 0; i < shape.patches(); ++i) {
#pragma omp simd
      for (int64_t c = 0; c < shape.channels; ++c) sums[c] += x[i * shape.channels + c];
    }
  });
}

template <typename T>
void conv_full(const ConvShape& shape, const T* x, const T* weight, const T* mask, const T* bias,
               T* y, VectorLevel level) {
  run_at(level, [&](auto wide) REMIXER_INLINED {
    full_body<decltype(wide)::value>(shape, x, weight, mask, bias, y);
  });
}

template <typename T>
void conv_full_backward(const ConvShape& shape, const T* x, const T* weight, const T* mask,
                        const T* dy, T* dx, T* dweight, T* dmask, VectorLevel level) {
  run_at(level, [&](auto) REMIXER_INLINED {
    full_backward_body(shape, x, weight, mask, dy, dx, dweight, dmask);
  });
}

#define REMIXER_CONV_LOOPS(T)                                                                     \
  template void neighbour_mask(const ConvShape&, const T*, T, T*, VectorLevel);                   \
  template double neighbour_mask_backward(const ConvShape&, const T*, T, const T*, const T*, T*); \
  template void transpose_table(const ConvShape&, const T*, T*);                                  \
  template void conv_shared(const ConvShape&, const T*, const T*, T, T*, VectorLevel);            \
  template void conv_shared_slopes(const ConvShape&, const T*, const T*, T*, VectorLevel);        \
  template void channel_sums(const ConvShape&, const T*, T*, VectorLevel);                        \
  template void conv_full(const ConvShape&, const T*, const T*, const T*, const T*, T*,           \
                          VectorLevel);                                                           \
  template void conv_full_backward(const ConvShape&, const T*, const T*, const T*, const T*, T*,  \
                                   T*, T*, VectorLevel);
REMIXER_CONV_LOOPS(float)
REMIXER_CONV_LOOPS(double)
#undef REMIXER_CONV_LOOPS

}  // namespace remixer::kernels
