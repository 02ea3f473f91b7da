// SPDX-License-Identifier: Apache-2.0
#include "tests/core/kernels/device/emulated.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

namespace remixer::testing {
namespace {

uint16_t to_bits(double value, Storage storage) {
  const auto x = static_cast<float>(value);
  const uint32_t both = storage == Storage::kHalf ? device::pack<device::Half>(x, x)
                                                  : device::pack<device::BFloat16>(x, x);
  return static_cast<uint16_t>(both);
}

double from_bits(uint16_t bits, Storage storage) {
  return storage == Storage::kHalf ? device::unpack<device::Half>(bits)
                                   : device::unpack<device::BFloat16>(bits);
}

size_t size_of(Storage storage) {
  return storage == Storage::kFloat ? 4 : 2;
}

}  // namespace

double rounded(double value, Storage storage) {
  if (storage == Storage::kFloat) return static_cast<float>(value);
  return from_bits(to_bits(value, storage), storage);
}

void* DeviceBuffers::add(size_t bytes) {
  // Aligned as a GPU's allocator does it, or what is counted would change from run to run.
  constexpr size_t kAlignment = 256;
  buffers_.emplace_back(std::aligned_alloc(kAlignment, (bytes / kAlignment + 1) * kAlignment),
                        &std::free);
  return buffers_.back().get();
}

const void* DeviceBuffers::input(const std::vector<double>& values, Storage storage) {
  void* buffer = add(values.size() * size_of(storage));
  for (size_t i = 0; i < values.size(); ++i) {
    if (storage == Storage::kFloat) {
      static_cast<float*>(buffer)[i] = static_cast<float>(values[i]);
    } else {
      static_cast<uint16_t*>(buffer)[i] = to_bits(values[i], storage);
    }
  }
  memory_.readable(buffer, values.size() * size_of(storage));
  return buffer;
}

void* DeviceBuffers::output(size_t count, Storage storage) {
  void* buffer = add(count * size_of(storage));
  std::memset(buffer, 0xff, count * size_of(storage));
  memory_.writable(buffer, count * size_of(storage));
  return buffer;
}

std::vector<double> DeviceBuffers::read(const void* buffer, size_t count, Storage storage) const {
  std::vector<double> values(count);
  for (size_t i = 0; i < count; ++i) {
    values[i] = storage == Storage::kFloat
                    ? static_cast<const float*>(buffer)[i]
                    : from_bits(static_cast<const uint16_t*>(buffer)[i], storage);
  }
  return values;
}

SimtCounters run(const device::KernelCall& call, const DeviceBuffers& buffers, ThreadOrder order,
                 uint64_t seed) {
  Launch how{
      .threads = call.threads, .shared_bytes = call.shared_bytes, .order = order, .seed = seed};
  std::memcpy(how.grid, call.grid, sizeof(how.grid));
  return device::visit(call, [&](auto kernel, const auto& arguments) {
    return launch(how, buffers.memory(), [&] { decltype(kernel)::run(arguments); });
  });
}

}  // namespace remixer::testing
