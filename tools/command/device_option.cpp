// SPDX-License-Identifier: Apache-2.0
#include "tools/command/device_option.h"

#include <ATen/Context.h>
#include <dlfcn.h>

#include "base/error.h"
#include "base/installation.h"

namespace remixer::tools {
namespace {

// Same as in core/distributed/cuda_library.h.
constexpr const char* kCudaLibrary = "libremixer_cuda.so";

class OnDevice : public training::SoloCommunicator {
 public:
  explicit OnDevice(at::Device device) : device_(device) {}
  at::Device device() const override { return device_; }

 private:
  at::Device device_;
};

// Why there is no GPU; empty if there is one. LibTorch's CUDA libraries take seconds to load, so
// they are not loaded if the driver has no device.
std::string obstacle() {
  if (!std::filesystem::exists("/dev/nvidiactl") && !std::filesystem::exists("/dev/dxg")) {
    return "this machine has no NVIDIA GPU, or no driver for it";
  }
  const auto library = library_folder() / kCudaLibrary;
  if (!std::filesystem::exists(library)) {
    return "this build has no GPU parts: run REMIXER_CUDA=ON ./setup";
  }
  if (!::dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL)) return ::dlerror();
  if (!at::hasCUDA()) return "LibTorch finds no usable GPU: look at CUDA_VISIBLE_DEVICES";
  return "";
}

}  // namespace

void add_device_option(CLI::App& app, std::string& device) {
  app.add_option("--device", device, "auto (a GPU if there is one), cpu or cuda")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
}

std::unique_ptr<training::Communicator> alone_on(const std::string& device) {
  if (device != "cpu") {
    const std::string reason = obstacle();
    if (reason.empty()) return std::make_unique<OnDevice>(at::Device(at::kCUDA, 0));
    if (device == "cuda") fail_input("a GPU was asked for (--device cuda), but {}", reason);
  }
  return std::make_unique<OnDevice>(at::kCPU);
}

}  // namespace remixer::tools
