#include "core/distributed/nccl_plugin.h"

#include <dlfcn.h>

namespace remixer::training {
namespace {

// A function that the library exports.
template <typename Function>
Function find_function(const std::filesystem::path& folder, const char* name) {
  const auto file = folder / kCudaLibrary;
  if (!std::filesystem::exists(file)) {
    fail_input("{} was not built: run ./setup on a machine with nvcc, or use --device cpu",
               file.string());
  }
  // Never closed: LibTorch's CUDA parts register themselves for the life of the process.
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (!library) fail("cannot load {}: {}", file.string(), ::dlerror());
  auto function = reinterpret_cast<Function>(::dlsym(library, name));
  if (!function) fail("{} is of another version: run ./setup again", file.string());
  return function;
}

}  // namespace

std::unique_ptr<Communicator> load_nccl_communicator(const std::filesystem::path& folder,
                                                     MpiCommunicator& rendezvous, int device) {
  return std::unique_ptr<Communicator>(
      find_function<NcclFactory>(folder, kNcclFactory)(&rendezvous, device));
}

int count_gpus(const std::filesystem::path& folder) {
  return find_function<GpuCounter>(folder, kGpuCounter)();
}

}  // namespace remixer::training
