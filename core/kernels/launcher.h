// SPDX-License-Identifier: Apache-2.0
// Launches device code; loads the CUDA library next to the operators when the first CUDA tensor
// arrives.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "core/kernels/device/plan.h"

namespace remixer::kernels {

// The launcher for tensors on `device`, or null: ATen is used then. Thread-safe.
// REMIXER_KERNELS=aten in the environment forces null.
device::LaunchKernel launcher_for(c10::Device device);

// Why there is none for CUDA, in one line; empty if there is one.
std::string launcher_trouble();

// For tests: replaces the launcher for devices of type `type` by `launch` (null: none).
void set_launcher(c10::DeviceType type, device::LaunchKernel launch);

// Runs `call` on the current stream of `device`; throws c10::Error in the name of `op`.
void launch(const char* op, const device::KernelCall& call, c10::Device device);

}  // namespace remixer::kernels
