// SPDX-License-Identifier: Apache-2.0
// Times two ways to do the same on a device, to choose the faster one.
#pragma once

#include <c10/core/Device.h>

#include <functional>

namespace remixer::training {

struct Milliseconds {
  double first = 0, second = 0;  // medians of five rounds
};

// Runs both in turn, each from an idle device until it is done. `before` runs before each, untimed.
Milliseconds time_in_turn(
    const std::function<void()>& first, const std::function<void()>& second, c10::Device device,
    const std::function<void()>& before = [] {});

}  // namespace remixer::training
