// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/launcher.h"

#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <mutex>

namespace remixer::kernels {
namespace {

constexpr const char* kLibrary = "libremixer_kernels.so";

// The folder of the program or library that contains this code, with a trailing '/'.
std::string own_folder() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&launcher_trouble), &info) == 0 || !info.dli_fname)
    return "";
  const std::string path = info.dli_fname;
  return path.substr(0, path.rfind('/') + 1);
}

struct Loaded {
  device::LaunchKernel launch = nullptr;
  std::string trouble;
};

Loaded load() {
  const char* wish = std::getenv("REMIXER_KERNELS");
  if (wish != nullptr && std::string(wish) == "aten") return {nullptr, "REMIXER_KERNELS is aten"};
  void* library = nullptr;
  std::string trouble;
  for (const std::string& folder : {own_folder(), own_folder() + "../lib/"}) {
    library = ::dlopen((folder + kLibrary).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) break;
    if (trouble.empty()) trouble = ::dlerror();
  }
  if (library == nullptr) return {nullptr, trouble};
  const auto version = reinterpret_cast<int (*)()>(::dlsym(library, "remixer_call_version"));
  const auto launch = reinterpret_cast<device::LaunchKernel>(::dlsym(library, "remixer_launch"));
  if (version == nullptr || launch == nullptr || version() != device::kCallVersion) {
    trouble = kLibrary;
    trouble += " is of another version: build it again";
    return {nullptr, trouble};
  }
  return {launch, ""};
}

const Loaded& loaded() {
  static const Loaded library = load();
  return library;
}

std::array<std::atomic<device::LaunchKernel>, 2> g_replaced{};  // CPU, CUDA

std::atomic<device::LaunchKernel>* replaced(c10::DeviceType type) {
  if (type == c10::DeviceType::CPU) return &g_replaced[0];
  if (type == c10::DeviceType::CUDA) return &g_replaced[1];
  return nullptr;
}

}  // namespace

device::LaunchKernel launcher_for(c10::Device device) {
  const auto* in_place = replaced(device.type());
  if (in_place == nullptr) return nullptr;
  if (const auto launch = in_place->load()) return launch;
  return device.is_cuda() ? loaded().launch : nullptr;
}

std::string launcher_trouble() {
  return loaded().trouble;
}

void set_launcher(c10::DeviceType type, device::LaunchKernel launch) {
  replaced(type)->store(launch);
}

void launch(const char* op, const device::KernelCall& call, c10::Device device) {
  void* stream = nullptr;
  if (!device.is_cpu()) {
    const c10::impl::VirtualGuardImpl guard(device.type());
    stream = guard.getStreamNativeHandle(guard.getStream(device));
  }
  const char* trouble = launcher_for(device)(call, stream);
  TORCH_CHECK(trouble == nullptr, op, ": launching a kernel on ", device, " failed: ", trouble);
}

}  // namespace remixer::kernels
