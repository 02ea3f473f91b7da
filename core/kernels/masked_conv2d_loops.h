// SPDX-License-Identifier: Apache-2.0
// Loops of the masked depthwise convolution of one image on a CPU; float and double.
//
// y_ic = bias_c + Σ_s a_is w_sc x_jc, with j the patch under place s of the kernel at patch i;
// places outside the image contribute nothing. Arrays are dense: x, y [N, C] with N =
// height · width patches in row order; w [S², C]; a [N, S²], whose entries outside the image are
// not read. If all channels share one kernel, w is a factor of a.
//
// Functions overwrite their results, unless they say that they add. `level` is one that this
// processor has.
#pragma once

#include <cstdint>

#include "core/kernels/vector_level.h"

namespace remixer::kernels {

struct ConvShape {
  int64_t height = 0, width = 0, channels = 0;
  int64_t kernel = 0;  // S, odd
  int64_t patches() const { return height * width; }
  int64_t places() const { return kernel * kernel; }
};

// mask_is = exp(-κ d_ij), from distance [N, N]; 0 outside the image.
template <typename T>
void neighbour_mask(const ConvShape& shape, const T* distance, T kappa, T* mask,
                    VectorLevel level = vector_level());

// From the gradient of the mask: returns that of κ, and adds that of distance [N, N] unless it is
// null.
template <typename T>
double neighbour_mask_backward(const ConvShape& shape, const T* distance, T kappa, const T* mask,
                               const T* dmask, T* ddistance);

// Entry (j, s) of the table with which conv_shared computes dx from dy: a_is' with i the patch
// under place s of j, and s' the place of j seen from i. 0 outside the image.
template <typename T>
void transpose_table(const ConvShape& shape, const T* table, T* transposed);

// One kernel for all channels, in the table: y_ic = bias + Σ_s table_is x_jc.
template <typename T>
void conv_shared(const ConvShape& shape, const T* x, const T* table, T bias, T* y,
                 VectorLevel level = vector_level());

// dtable_is = Σ_c dy_ic x_jc; 0 outside the image.
template <typename T>
void conv_shared_slopes(const ConvShape& shape, const T* x, const T* dy, T* dtable,
                        VectorLevel level = vector_level());

// sums_c = Σ_i x_ic.
template <typename T>
void channel_sums(const ConvShape& shape, const T* x, T* sums, VectorLevel level = vector_level());

// One kernel per channel, weight [S², C]; bias [C], or null for 0; mask null for 1.
template <typename T>
void conv_full(const ConvShape& shape, const T* x, const T* weight, const T* mask, const T* bias,
               T* y, VectorLevel level = vector_level());

// Given dy: overwrites dx; dweight [S², C]; and dmask, unless mask is null.
template <typename T>
void conv_full_backward(const ConvShape& shape, const T* x, const T* weight, const T* mask,
                        const T* dy, T* dx, T* dweight, T* dmask,
                        VectorLevel level = vector_level());

}  // namespace remixer::kernels
