// SPDX-License-Identifier: Apache-2.0
// Loads libremixer_cuda.so (CUDA and NCCL) only if a GPU is to be used, so that programs start and
// link without CUDA. It needs no symbol of the program that loads it.
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <filesystem>
#include <string>
#include <vector>

namespace c10d {
class ProcessGroup;
class Store;
}  // namespace c10d

namespace remixer::training {

constexpr const char* kCudaLibrary = "libremixer_cuda.so";

// Each loads the library from `folder` where that has not happened. They throw InputError where it
// was not built, and Error where it cannot be loaded (with the loader's reason) or CUDA fails.
class CudaLibrary {
 public:
  explicit CudaLibrary(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // UUIDs of the GPUs that LibTorch can use here, in its numbering; none without a driver.
  std::vector<std::string> gpus() const;
  // Versions and cards, as JSON: {"runtime", "driver", "cudnn", "nccl", "gpus": [{"uuid", "name",
  // "memory_gib", "capability"}]}. "driver" is the newest CUDA that the driver serves, "" without
  // one.
  std::string describe() const;
  // From now on this thread's GPU.
  void use(int gpu) const;
  // NCCL over the ranks that share `store`, for tensors on `gpu`. Collective. A collective that
  // takes longer than the time-out ends the process.
  c10::intrusive_ptr<c10d::ProcessGroup> make_group(c10::intrusive_ptr<c10d::Store> store, int rank,
                                                    int size, int gpu,
                                                    double timeout_seconds) const;

 private:
  template <typename Function>
  Function* find(const char* name) const;
  std::filesystem::path folder_;
};

// Why this machine cannot use a GPU whatever the library says, or empty. LibTorch's CUDA libraries
// take seconds to load: they are left alone where the driver has no device. `devices` is /dev.
std::string driver_obstacle(const std::filesystem::path& devices, const std::string& host);

// What the library exports under these names, with C linkage.
constexpr const char* kGpuLister = "remixer_list_gpus";
using GpuLister = void(std::vector<std::string>* uuids);
constexpr const char* kCudaDescriber = "remixer_describe_cuda";
using CudaDescriber = void(std::string* json);
constexpr const char* kGpuChooser = "remixer_use_gpu";
using GpuChooser = void(int gpu);
constexpr const char* kGroupMaker = "remixer_make_nccl_group";
using GroupMaker = void(c10::intrusive_ptr<c10d::Store> store, int rank, int size, int gpu,
                        double timeout_seconds, c10::intrusive_ptr<c10d::ProcessGroup>* group);

}  // namespace remixer::training
