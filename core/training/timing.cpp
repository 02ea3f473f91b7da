// SPDX-License-Identifier: Apache-2.0
#include "core/training/timing.h"

#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <array>

#include "base/clock.h"

namespace remixer::training {
namespace {

constexpr size_t kRounds = 5;

void wait_for(c10::Device device) {
  if (!device.is_cpu()) {
    c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
  }
}

double median(std::array<double, kRounds> values) {
  std::nth_element(values.begin(), values.begin() + kRounds / 2, values.end());
  return values[kRounds / 2];
}

}  // namespace

Milliseconds time_in_turn(const std::function<void()>& first, const std::function<void()>& second,
                          c10::Device device, const std::function<void()>& before) {
  const auto one = [&](const std::function<void()>& run) {
    before();
    wait_for(device);
    const double begun = system_clock().monotonic();
    run();
    wait_for(device);
    return 1000 * (system_clock().monotonic() - begun);
  };
  std::array<double, kRounds> times{}, others{};
  for (size_t round = 0; round < kRounds; ++round) {
    times[round] = one(first);
    others[round] = one(second);
  }
  return {median(times), median(others)};
}

}  // namespace remixer::training
