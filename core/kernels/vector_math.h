// SPDX-License-Identifier: Apache-2.0
// exp and its like of a whole tensor, the same at the first call as at every later one.
#pragma once

namespace remixer::kernels {

// Has every such function called once, by one thread. ATen hands them to oneMKL, which finds out at
// the first call which code serves this processor, and before its version 2025.0 writes down an
// intermediate value meanwhile. If two threads make that call together, one may take other code
// than ever after for its part of the tensor: pytorch/pytorch#188792. So this comes before an
// operator runs. Any thread; after the first call it costs nothing. The caller's dispatch modes,
// autocast and gradients are not touched.
void settle_vector_math();

}  // namespace remixer::kernels
