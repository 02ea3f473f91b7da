// SPDX-License-Identifier: Apache-2.0
// Parallel work whose parts use single-threaded BLAS, so that results do not depend on the number
// of threads. Only for sources compiled for OpenMP.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>

#include "core/kernels/blas.h"

namespace remixer::kernels {

// Calls body(i) for each i below count, each on one thread.
template <typename Body>
void one_thread_each(int64_t count, const Body& body) {
  // With one task, the loop would not be a parallel region, and its products would use all threads.
  at::parallel_for(0, std::max<int64_t>(count, 2), 1, [&](int64_t begin, int64_t end) {
    const OneThread one_thread;
    for (int64_t i = begin; i < std::min(end, count); ++i) body(i);
  });
}

}  // namespace remixer::kernels
