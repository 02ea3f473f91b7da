// SPDX-License-Identifier: Apache-2.0
// Initialises vector math (exp etc.), so that its first call gives the same bits as later ones.
#pragma once

namespace remixer::kernels {

// Calls every such function once, from one thread. ATen passes them to oneMKL, which selects code
// for this processor at the first call, and before version 2025.0 stores an intermediate value
// meanwhile. If two threads make that call together, one may use other code for its part of the
// tensor than in all later calls: pytorch/pytorch#188792. Call this before operators run. Any
// thread; after the first call it costs nothing. The caller's dispatch modes, autocast and
// gradients are unchanged.
void settle_vector_math();

}  // namespace remixer::kernels
