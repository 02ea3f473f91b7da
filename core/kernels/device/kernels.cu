// SPDX-License-Identifier: Apache-2.0
// The CUDA library (libremixer_kernels.so): launches the device code. It needs a driver only when
// it is called, and no LibTorch.
#include <cuda_runtime_api.h>

#include "core/kernels/device/call.h"

namespace remixer::device {
namespace {

template <class K>
__global__ void __launch_bounds__(K::kMaxThreads, 1)
    run(const __grid_constant__ typename K::Arguments arguments) {
  K::run(arguments);
}

struct Start {
  const KernelCall& call;
  cudaStream_t stream;

  template <class K>
  cudaError_t operator()(K, const typename K::Arguments& arguments) const {
    if (call.shared_bytes > 48 * 1024) {
      const cudaError_t error = cudaFuncSetAttribute(reinterpret_cast<const void*>(&run<K>),
                                                     cudaFuncAttributeMaxDynamicSharedMemorySize,
                                                     static_cast<int>(call.shared_bytes));
      if (error != cudaSuccess) return error;
    }
    const dim3 grid(call.grid[0], call.grid[1], call.grid[2]);
    run<K><<<grid, call.threads, call.shared_bytes, stream>>>(arguments);
    return cudaGetLastError();
  }
};

}  // namespace
}  // namespace remixer::device

extern "C" {

int remixer_call_version() {
  return remixer::device::kCallVersion;
}

const char* remixer_launch(const remixer::device::KernelCall& call, void* stream) {
  const cudaError_t error =
      remixer::device::visit(call, remixer::device::Start{call, static_cast<cudaStream_t>(stream)});
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}
}
