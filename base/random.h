// SPDX-License-Identifier: Apache-2.0
// Counter-based random numbers: Philox4x32-10 (Salmon et al., SC'11).
//
// A stream is named by its use, (seed, purpose, a, b), never by who draws or when, so results
// depend neither on thread counts nor on where a run was interrupted and resumed.
#pragma once

#include <array>
#include <cstdint>

namespace remixer {

// The ten-round Philox bijection of one 128-bit counter under a 64-bit key.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// What a stream is used for. A new purpose takes a new number; numbers are never reused.
enum class RandomPurpose : uint32_t {
  kOrder = 1,       // the epoch's order; a = epoch
  kAugment = 2,     // one sample's augmentation; a = epoch, b = position in the epoch's order
  kMix = 3,         // Mixup and CutMix; a = step, b = shard
  kDropPath = 4,    // stochastic depth; a = step, b = shard
  kInitialise = 5,  // a parameter's initial values; a = parameter's number
  kDataset = 6,     // building a dataset; a, b = the builder's own
  kLabel = 7,       // a labeler's own draws; a = hash of the sample's id
  kTest = 8,
  kHoldOut = 16,  // which training images are held out
};

// A stream of draws. Copyable; each object is used by one thread. Distinct (seed, purpose, a, b)
// give independent streams of up to 2^34 draws.
class Random {
 public:
  Random(uint64_t seed, RandomPurpose purpose, uint64_t a = 0, uint64_t b = 0);

  uint32_t next_u32();
  // Uniform in [0, 1), 53 bits.
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // Uniform in {0, ..., bound - 1}, unbiased; bound >= 1.
  uint64_t below(uint64_t bound);
  // Standard normal (Box-Muller).
  double normal();
  // Gamma(shape, 1) after Marsaglia and Tsang; shape > 0.
  double gamma(double shape);
  // Beta(a, b); a, b > 0.
  double beta(double a, double b);

 private:
  std::array<uint32_t, 4> counter_;
  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> block_{};
  unsigned used_ = 4;
  bool have_normal_ = false;
  double spare_normal_ = 0;
};

}  // namespace remixer
