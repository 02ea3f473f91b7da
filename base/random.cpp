// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <cassert>
#include <cmath>
#include <limits>
#include <numbers>

namespace remixer {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> c, std::array<uint32_t, 2> key) {
  constexpr uint64_t kMultiply0 = 0xD2511F53, kMultiply1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = kMultiply0 * c[0], p1 = kMultiply1 * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ key[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ key[1], static_cast<uint32_t>(p0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return c;
}

Random::Random(uint64_t seed, RandomPurpose purpose, uint64_t a, uint64_t b) {
  // Two Philox blocks fold the stream's name into key and counter, so that similar names give
  // unrelated streams.
  const std::array<uint32_t, 2> seed_key{static_cast<uint32_t>(seed),
                                         static_cast<uint32_t>(seed >> 32)};
  const auto first = philox4x32({static_cast<uint32_t>(a), static_cast<uint32_t>(a >> 32),
                                 static_cast<uint32_t>(purpose), 0x52654D78u},
                                seed_key);
  const auto second =
      philox4x32({static_cast<uint32_t>(b), static_cast<uint32_t>(b >> 32), first[2], first[3]},
                 {first[0], first[1]});
  key_ = {second[0], second[1]};
  counter_ = {0, second[2], second[3], 0};
}

uint32_t Random::next_u32() {
  if (used_ == 4) {
    block_ = philox4x32(counter_, key_);
    if (++counter_[0] == 0) ++counter_[3];
    used_ = 0;
  }
  return block_[used_++];
}

double Random::uniform() {
  const uint64_t high = next_u32() >> 5, low = next_u32() >> 6;  // 27 and 26 bits
  return static_cast<double>((high << 26) | low) * 0x1p-53;
}

uint64_t Random::below(uint64_t bound) {
  assert(bound >= 1);
  const uint64_t limit =
      std::numeric_limits<uint64_t>::max() - std::numeric_limits<uint64_t>::max() % bound;
  for (;;) {
    const uint64_t high = next_u32();
    const uint64_t draw = (high << 32) | next_u32();
    if (draw < limit) return draw % bound;
  }
}

double Random::normal() {
  if (have_normal_) {
    have_normal_ = false;
    return spare_normal_;
  }
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  const double angle = 2 * std::numbers::pi * uniform();
  spare_normal_ = radius * std::sin(angle);
  have_normal_ = true;
  return radius * std::cos(angle);
}

namespace {

// A draw and its logarithm, which stays finite if the draw itself underflows.
struct Gamma {
  double value = 0, logarithm = 0;
};

Gamma draw_gamma(Random& random, double shape) {
  assert(shape > 0);
  if (shape < 1) {
    const double share = 1 - random.uniform();
    const Gamma larger = draw_gamma(random, shape + 1);
    return {std::pow(share, 1 / shape) * larger.value, std::log(share) / shape + larger.logarithm};
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.normal();
    const double v = std::pow(1 + c * x, 3);
    if (v <= 0) continue;
    if (std::log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) {
      return {d * v, std::log(d * v)};
    }
  }
}

}  // namespace

double Random::gamma(double shape) {
  return draw_gamma(*this, shape).value;
}

double Random::beta(double a, double b) {
  const Gamma x = draw_gamma(*this, a), y = draw_gamma(*this, b);
  const double sum = x.value + y.value;
  // With small shapes both may underflow; their quotient is still defined.
  return sum > 0 ? x.value / sum : 1 / (1 + std::exp(y.logarithm - x.logarithm));
}

}  // namespace remixer
