// SPDX-License-Identifier: Apache-2.0
// Loads libremixer_cuda.so (CUDA and NCCL) only if a GPU is to be used, so that programs start and
// link without CUDA. The library needs no symbol of the loading program.
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/distributed/device_graph.h"

namespace c10d {
class ProcessGroup;
class Store;
}  // namespace c10d

namespace remixer::training {

constexpr const char* kCudaLibrary = "libremixer_cuda.so";

// Each member loads the library from `folder` if it is not loaded yet. Throws InputError if it was
// not built, and Error if it cannot be loaded (with the loader's reason) or CUDA fails.
class CudaLibrary {
 public:
  explicit CudaLibrary(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // UUIDs of the GPUs that LibTorch can use here, in its numbering; none without a driver.
  std::vector<std::string> gpus() const;
  // Versions and GPUs, as JSON: {"runtime", "driver", "cudnn", "nccl", "gpus": [{"uuid", "name",
  // "memory_gib", "capability"}]}. "driver" is the newest CUDA version that the driver supports, ""
  // without a driver.
  std::string describe() const;
  // Makes `gpu` this thread's current GPU.
  void use(int gpu) const;
  // An NCCL group of the ranks that share `store`, for tensors on `gpu`. Collective. A collective
  // that exceeds the time-out ends the process.
  c10::intrusive_ptr<c10d::ProcessGroup> make_group(c10::intrusive_ptr<c10d::Store> store, int rank,
                                                    int size, int gpu,
                                                    double timeout_seconds) const;
  // A CUDA graph of the current GPU, with memory of its own.
  std::unique_ptr<DeviceGraph> make_graph() const;

 private:
  template <typename Function>
  Function* find(const char* name) const;
  std::filesystem::path folder_;
};

// Why this machine cannot use a GPU, whatever the library says; or empty. LibTorch's CUDA libraries
// take seconds to load, so they are not loaded if the driver has no device. `devices` is /dev.
std::string driver_obstacle(const std::filesystem::path& devices, const std::string& host);

// The library's exported functions, by name, with C linkage.
constexpr const char* kGpuLister = "remixer_list_gpus";
using GpuLister = void(std::vector<std::string>* uuids);
constexpr const char* kCudaDescriber = "remixer_describe_cuda";
using CudaDescriber = void(std::string* json);
constexpr const char* kGpuChooser = "remixer_use_gpu";
using GpuChooser = void(int gpu);
constexpr const char* kGroupMaker = "remixer_make_nccl_group";
using GroupMaker = void(c10::intrusive_ptr<c10d::Store> store, int rank, int size, int gpu,
                        double timeout_seconds, c10::intrusive_ptr<c10d::ProcessGroup>* group);
constexpr const char* kGraphMaker = "remixer_make_graph";
using GraphMaker = void(std::unique_ptr<DeviceGraph>* graph);

}  // namespace remixer::training
