// SPDX-License-Identifier: Apache-2.0
// Launches device code: finds and loads the CUDA library beside the operators when the first CUDA
// tensor arrives.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "core/kernels/device/plan.h"

namespace remixer::kernels {

// The launcher for tensors of `device`, or null: then ATen's operations do the work. Thread-safe.
// REMIXER_KERNELS=aten in the environment asks for null.
device::LaunchKernel launcher_for(c10::Device device);

// Why there is none for CUDA, in one line; empty where there is one.
std::string launcher_trouble();

// Puts `launch` (null: none) in the place of what serves devices of type `type`: for tests.
void set_launcher(c10::DeviceType type, device::LaunchKernel launch);

// Carries out `call` on the current stream of `device`; throws c10::Error, in the name of `op`.
void launch(const char* op, const device::KernelCall& call, c10::Device device);

}  // namespace remixer::kernels
