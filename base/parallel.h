// SPDX-License-Identifier: Apache-2.0
// Parallel loops over independent items.
#pragma once

#include <cstdint>
#include <functional>

namespace remixer {

// Number of threads that this process may run at once, at least 1.
unsigned available_threads();

// Calls body(i) once for each i in [0, count), on up to `threads` threads (0: all available), in no
// fixed order. on_done(finished items) is called occasionally, by one thread at a time, and at the
// end. The first exception of either stops the loop, waits for running bodies, and is rethrown.
void parallel_for(int64_t count, unsigned threads, const std::function<void(int64_t)>& body,
                  const std::function<void(int64_t)>& on_done = {});

}  // namespace remixer
