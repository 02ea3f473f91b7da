// SPDX-License-Identifier: Apache-2.0
// Loops of the masked depthwise convolution of one image on a CPU; float and double.
//
// Arrays are dense: x, y [N, C] with N = height · width patches in row order; weight [S², K] with
// K = 1 (one kernel for all channels) or C; mask [N, S²], or null for M = 1: entry (i, s) belongs
// to the neighbour under place s of patch i (entries outside the image are not read).
#pragma once

#include <cstdint>

namespace remixer::kernels {

struct ConvShape {
  int64_t height = 0, width = 0, channels = 0;
  int64_t kernel = 0;   // S, odd
  bool shared = false;  // K = 1
};

// The variant of these loops used on this processor: "avx2" or "plain".
const char* conv_loops();

// y is overwritten.
template <typename T>
void conv_forward(const ConvShape& shape, const T* x, const T* weight, const T* mask, T* y);

// Given dy, the gradient of y: overwrites dx; dmask (unless mask is null), with 0 outside the
// image; and dweight [S², K], with this image's part.
template <typename T>
void conv_backward(const ConvShape& shape, const T* x, const T* weight, const T* mask, const T* dy,
                   T* dx, T* dweight, T* dmask);

}  // namespace remixer::kernels
