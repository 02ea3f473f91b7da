// SPDX-License-Identifier: Apache-2.0
// A library with NVML's interface and three GPUs whose figures are known.
#include <cstdint>
#include <cstring>

struct Utilization {
  unsigned gpu, memory;
};
struct Memory {
  unsigned long long total, free, used;
};

static uintptr_t number(void* device) {
  return reinterpret_cast<uintptr_t>(device);
}

extern "C" {
int nvmlInit_v2() {
  return 0;
}
int nvmlShutdown() {
  return 0;
}
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 3;
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  *device = reinterpret_cast<void*>(uintptr_t{index} + 1);
  return index < 3 ? 0 : 2;
}
int nvmlDeviceGetHandleByUUID(const char* name, void** device) {
  *device = reinterpret_cast<void*>(uintptr_t{3});
  return std::strcmp(name, "GPU-last") == 0 ? 0 : 2;
}
int nvmlDeviceGetUtilizationRates(void* device, Utilization* utilization) {
  utilization->gpu = static_cast<unsigned>(number(device)) * 10;
  return 0;
}
int nvmlDeviceGetMemoryInfo(void* device, Memory* memory) {
  memory->total = 4 << 20;
  memory->used = number(device) << 20;
  return 0;
}
}
