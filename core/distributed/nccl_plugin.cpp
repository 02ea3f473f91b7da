#include "core/distributed/nccl_plugin.h"

#include <dlfcn.h>

namespace remixer::training {

std::unique_ptr<Communicator> load_nccl_communicator(const std::filesystem::path& folder,
                                                     MpiCommunicator& rendezvous, int device) {
  const auto file = folder / "libremixer_cuda.so";
  if (!std::filesystem::exists(file)) {
    fail_input("{} was not built: run ./setup on a machine with nvcc, or use --device cpu", file.string());
  }
  // Never closed: LibTorch's CUDA parts register themselves for the life of the process.
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (!library) fail("cannot load {}: {}", file.string(), ::dlerror());
  auto make = reinterpret_cast<NcclFactory>(::dlsym(library, kNcclFactory));
  if (!make) fail("{} is of another version: run ./setup again", file.string());
  return std::unique_ptr<Communicator>(make(&rendezvous, device));
}

}  // namespace remixer::training
