// SPDX-License-Identifier: Apache-2.0
// The randomness of a simulated history.
#pragma once

#include <cstdint>

namespace remixer::coordinator::testing {

// Draws of one seed (splitmix64). The seed is mixed first: neighbouring ones would otherwise give
// the same draws, shifted by one, and histories that soon run alike.
class Draw {
 public:
  explicit Draw(uint64_t seed) : state_(mixed(seed ^ 0xD1B54A32D192ED03u)) {}
  uint64_t operator()(uint64_t below) { return mixed(state_ += 0x9E3779B97F4A7C15u) % below; }
  bool once_in(uint64_t n) { return (*this)(n) == 0; }
  double seconds(double most) { return most * static_cast<double>((*this)(1000)) / 1000; }

 private:
  static uint64_t mixed(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  uint64_t state_;
};

}  // namespace remixer::coordinator::testing
