// SPDX-License-Identifier: Apache-2.0
// Compiled into libremixer_cuda.so only. It may use only LibTorch, CUDA and headers: the linker
// rejects symbols that exist only in the loading program.
#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <cuda_runtime_api.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include <torch/csrc/distributed/c10d/NCCLUtils.hpp>

#include <chrono>
#include <cstdio>
#include <functional>
#include <utility>

#include "base/json.h"
#include "core/distributed/cuda_library.h"

namespace {

// In nvidia-smi's format: "GPU-1a2b3c4d-...".
std::string uuid_text(const cudaUUID_t& uuid) {
  std::string text = "GPU";
  for (int i = 0; i < 16; ++i) {
    if (i == 0 || i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(uuid.bytes[i]));
    text += digits;
  }
  return text;
}

// 13000 → "13.0"; "" for 0.
std::string cuda_version_text(int version) {
  return version == 0 ? ""
                      : std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// Ends a recording that failed, as far as it had begun: LibTorch would otherwise keep its memory,
// and hold back other memory, for the rest of the process. Each call throws if there is nothing to
// end.
void abandon(at::cuda::CUDAGraph& graph, c10::MempoolId_t pool) {
  const auto each = [](const std::function<void()>& end) {
    try {
      end();
    } catch (const std::exception&) {
      static_cast<void>(cudaGetLastError());
    }
  };
  bool ended = false;
  each([&] {
    graph.capture_end();
    ended = true;
  });
  if (ended) return;  // its destructor does the rest
  const c10::DeviceIndex gpu = c10::cuda::current_device();
  each([&] { c10::cuda::CUDACachingAllocator::endAllocateToPool(gpu, pool); });
  each([&] { c10::cuda::CUDACachingAllocator::releasePool(gpu, pool); });
  each([&] { at::getHostAllocator(at::kCUDA)->end_allocate_to_pool(pool); });
  each([&] { at::getHostAllocator(at::kCUDA)->release_pool(pool); });
}

class CudaGraph : public remixer::training::DeviceGraph {
 public:
  void record(const std::function<void()>& body) override {
    // One pool for all recordings of a process: they are repeated one after the other, and what
    // outlives a recording keeps its place.
    static c10::MempoolId_t pool = at::cuda::graph_pool_handle();
    // Recordings have memory of their own: give back what earlier steps left in the cache.
    c10::cuda::device_synchronize();
    c10::cuda::CUDACachingAllocator::emptyCache();
    {
      // The default stream cannot be recorded. Backward passes run in threads of LibTorch, so calls
      // of other threads must not be refused.
      const c10::cuda::CUDAStreamGuard guard(c10::cuda::getStreamFromPool());
      try {
        graph_.capture_begin(pool, cudaStreamCaptureModeThreadLocal);
        body();
        graph_.capture_end();
      } catch (...) {
        abandon(graph_, std::exchange(pool, at::cuda::graph_pool_handle()));
        throw;
      }
    }
    c10::cuda::device_synchronize();
  }
  void repeat() override { graph_.replay(); }

 private:
  at::cuda::CUDAGraph graph_;
};

}  // namespace

extern "C" void remixer_make_graph(std::unique_ptr<remixer::training::DeviceGraph>* graph) {
  *graph = std::make_unique<CudaGraph>();
}

extern "C" void remixer_describe_cuda(std::string* json) {
  using remixer::Json;
  // LibTorch knows its version without a driver; the CUDA runtime would look for one first.
  const auto runtime = static_cast<int>(at::detail::getCUDAHooks().versionCUDART());
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
  Json gpus = Json::array();
  for (int gpu = 0; gpu < c10::cuda::device_count(); ++gpu) {
    cudaDeviceProp properties{};
    C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, gpu));
    gpus.push_back({{"uuid", uuid_text(properties.uuid)},
                    {"name", properties.name},
                    {"memory_gib", static_cast<double>(properties.totalGlobalMem) / (1 << 30)},
                    {"capability",
                     std::to_string(properties.major) + "." + std::to_string(properties.minor)}});
  }
  *json = Json({{"runtime", cuda_version_text(runtime)},
                {"driver", cuda_version_text(driver)},
                {"cudnn", at::detail::getCUDAHooks().versionRuntimeCuDNN()},
                {"nccl", c10d::getNcclVersion()},
                {"gpus", gpus}})
              .dump();
}

extern "C" void remixer_list_gpus(std::vector<std::string>* uuids) {
  uuids->clear();
  const int count = c10::cuda::device_count();
  for (int gpu = 0; gpu < count; ++gpu) {
    cudaDeviceProp properties{};
    C10_CUDA_CHECK(cudaGetDeviceProperties(&properties, gpu));
    uuids->push_back(uuid_text(properties.uuid));
  }
}

extern "C" void remixer_use_gpu(int gpu) {
  c10::cuda::device_count_ensure_non_zero();
  c10::cuda::set_device(static_cast<c10::DeviceIndex>(gpu));
}

extern "C" void remixer_make_nccl_group(c10::intrusive_ptr<c10d::Store> store, int rank, int size,
                                        int gpu, double timeout_seconds,
                                        c10::intrusive_ptr<c10d::ProcessGroup>* group) {
  remixer_use_gpu(gpu);
  auto made = c10::make_intrusive<c10d::ProcessGroup>(store, rank, size);
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = std::chrono::milliseconds(static_cast<int64_t>(1000 * timeout_seconds));
  auto backend = c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size, std::move(options));
  // Otherwise NCCL guesses the GPU from the rank when first used.
  backend->setBoundDeviceId(at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(gpu)));
  made->setBackend(c10::DeviceType::CUDA, c10d::ProcessGroup::BackendType::NCCL, backend);
  made->setDefaultBackend(c10d::ProcessGroup::BackendType::NCCL);
  made->setGroupName("remixer");
  *group = std::move(made);
}
