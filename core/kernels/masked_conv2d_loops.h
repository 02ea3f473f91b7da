// SPDX-License-Identifier: Apache-2.0
// The masked depthwise convolution of one image on a CPU, as plain loops; float and double.
//
// Arrays are dense: x, y [N, C] with N = height · width patches in row order; weight [S², K] with
// K = 1 (one kernel for all channels) or C; mask [N, S²], entry (i, s) belonging to the neighbour
// under place s of patch i (entries outside the image are not read), or null for M = 1.
#pragma once

#include <cstdint>

namespace remixer::kernels {

struct ConvShape {
  int64_t height = 0, width = 0, channels = 0;
  int64_t kernel = 0;   // S, odd
  bool shared = false;  // K = 1
};

// What these loops are compiled for on this processor: "avx2" or "plain".
const char* conv_loops();

// y is overwritten.
template <typename T>
void conv_forward(const ConvShape& shape, const T* x, const T* weight, const T* mask, T* y);

// Given dy, the gradient of y: dx is overwritten, dmask (where mask is not null) as well, with 0
// outside the image; dweight [S², K] is overwritten with this image's part.
template <typename T>
void conv_backward(const ConvShape& shape, const T* x, const T* weight, const T* mask, const T* dy,
                   T* dx, T* dweight, T* dmask);

}  // namespace remixer::kernels
