// SPDX-License-Identifier: Apache-2.0
#include "core/distributed/cuda_library.h"

#include <dlfcn.h>

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "base/error.h"

namespace remixer::training {

template <typename Function>
Function* CudaLibrary::find(const char* name) const {
  const auto file = folder_ / kCudaLibrary;
  if (!std::filesystem::exists(file)) {
    fail_input("this build has no GPU parts ({} is missing): run REMIXER_CUDA=ON ./setup",
               file.string());
  }
  // Never closed: LibTorch's CUDA parts register themselves until the process ends.
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (!library) fail("the GPU parts cannot be loaded: {}", ::dlerror());
  auto function = reinterpret_cast<Function*>(::dlsym(library, name));
  if (!function) fail("{} is of another version: run ./setup again", file.string());
  return function;
}

std::vector<std::string> CudaLibrary::gpus() const {
  std::vector<std::string> uuids;
  find<GpuLister>(kGpuLister)(&uuids);
  return uuids;
}

std::string CudaLibrary::describe() const {
  std::string json;
  find<CudaDescriber>(kCudaDescriber)(&json);
  return json;
}

void CudaLibrary::use(int gpu) const {
  find<GpuChooser>(kGpuChooser)(gpu);
}

c10::intrusive_ptr<c10d::ProcessGroup> CudaLibrary::make_group(
    c10::intrusive_ptr<c10d::Store> store, int rank, int size, int gpu,
    double timeout_seconds) const {
  c10::intrusive_ptr<c10d::ProcessGroup> group;
  find<GroupMaker>(kGroupMaker)(std::move(store), rank, size, gpu, timeout_seconds, &group);
  return group;
}

std::unique_ptr<DeviceGraph> CudaLibrary::make_graph() const {
  std::unique_ptr<DeviceGraph> graph;
  find<GraphMaker>(kGraphMaker)(&graph);
  return graph;
}

std::string driver_obstacle(const std::filesystem::path& devices, const std::string& host) {
  // The second is Windows' driver as seen from Linux under WSL.
  if (std::filesystem::exists(devices / "nvidiactl") || std::filesystem::exists(devices / "dxg")) {
    return "";
  }
  return fmt::format("machine {} has no NVIDIA GPU, or no driver for it", host);
}

}  // namespace remixer::training
