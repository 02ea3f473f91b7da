// SPDX-License-Identifier: Apache-2.0
// Runs device kernels on the emulator from tensors: a launcher for kernels::set_launcher().
#pragma once

#include <algorithm>

#include "core/kernels/device/call.h"
#include "tests/support/simt.h"

namespace remixer::testing {

inline int g_launches = 0;  // of kernels, since a test set it to 0

// All memory is allowed: tensors' buffers are not known here.
inline const char* emulate(const device::KernelCall& call, void*) {
  ++g_launches;
  GlobalMemory memory;
  memory.everything();
  Launch how{.threads = call.threads, .shared_bytes = call.shared_bytes};
  std::copy(call.grid, call.grid + 3, how.grid);
  device::visit(call, [&](auto kernel, const auto& arguments) {
    launch(how, memory, [&] { decltype(kernel)::run(arguments); });
  });
  return nullptr;
}

}  // namespace remixer::testing
