// SPDX-License-Identifier: Apache-2.0
// Prints, as JSON, what the emulator counts of each kernel at the paper's shapes, for one head or
// image: attention of DeiT (T = 197 with [CLS], D = 64), mixing of 14 × 14 patches and 512
// channels, distances of as many patches by saliency and by a thousand classes.
#include <cmath>
#include <cstdio>

#include "tests/core/kernels/device/emulated.h"

namespace remixer::device {
namespace {

using testing::DeviceBuffers;
using testing::SimtCounters;
using testing::Storage;
using Numbers = std::vector<double>;

// Any numbers will do: what is counted does not depend on them.
const Numbers& numbers(size_t count) {
  static Numbers values;
  values.resize(count);
  for (size_t i = 0; i < count; ++i) values[i] = 0.25 + static_cast<double>(i % 7) / 8;
  return values;
}

bool g_first = true;

void print(const char* name, const KernelCall& call, const SimtCounters& c, int64_t least) {
  std::printf(
      "%s\n  {\"kernel\": \"%s\", \"threads\": %d, \"shared_bytes\": %lld, \"blocks\": %d, "
      "\"load_bytes\": %lld, \"load_sectors\": %lld, \"load_ideal_sectors\": %lld, "
      "\"store_bytes\": %lld, \"store_sectors\": %lld, \"store_ideal_sectors\": %lld, "
      "\"wavefronts\": %lld, \"ideal_wavefronts\": %lld, \"multiply_adds\": %lld, "
      "\"exponentials\": %lld, \"least_bytes\": %lld}",
      g_first ? "[" : ",", name, call.threads, static_cast<long long>(call.shared_bytes),
      call.grid[0] * call.grid[1] * call.grid[2], static_cast<long long>(c.load_bytes),
      static_cast<long long>(c.load_sectors), static_cast<long long>(c.load_ideal_sectors),
      static_cast<long long>(c.store_bytes), static_cast<long long>(c.store_sectors),
      static_cast<long long>(c.store_ideal_sectors), static_cast<long long>(c.shared_wavefronts),
      static_cast<long long>(c.shared_ideal_wavefronts), static_cast<long long>(c.multiply_adds),
      static_cast<long long>(c.exponentials), static_cast<long long>(least));
  g_first = false;
}

void count_attention() {
  constexpr int kTokens = 197, kWidth = 64, kPatches = 196;
  constexpr size_t kSize = kTokens * kWidth;
  DeviceBuffers buffers;
  const auto input = [&] {
    return Heads<const BFloat16>{
        static_cast<const BFloat16*>(buffers.input(numbers(kSize), Storage::kBFloat16)), kSize,
        kSize, kWidth};
  };
  const auto output = [&] {
    return Heads<BFloat16>{static_cast<BFloat16*>(buffers.output(kSize, Storage::kBFloat16)), kSize,
                           kSize, kWidth};
  };
  KernelCall call;
  call.float_distance = false;
  auto& a = call.attention;
  a.batch = a.heads = 1, a.tokens = kTokens, a.prefix = 1, a.width = kWidth, a.scale = 0.125f;
  a.q = input(), a.k = input(), a.v = input(), a.d_out = input();
  a.out = output(), a.dq = output(), a.dk = output(), a.dv = output();
  a.distance =
      static_cast<const float*>(buffers.input(numbers(kPatches * kPatches), Storage::kBFloat16));
  a.kappa = static_cast<const float*>(buffers.input({0.5}, Storage::kFloat));
  a.log_sums = static_cast<float*>(buffers.output(kTokens, Storage::kFloat));
  a.delta = static_cast<float*>(buffers.output(kTokens, Storage::kFloat));
  a.d_kappa = static_cast<float*>(buffers.output(16, Storage::kFloat));
  // What memory must give and take: an image's distances are shared by its 6 heads.
  constexpr int64_t kTensor = kSize * 2, kDistance = kPatches * kPatches * 2 / 6,
                    kRow = kTokens * 4;
  const struct {
    Kernel kernel;
    const char* name;
    int64_t least;
  } all[] = {
      {Kernel::kAttentionForward, "AttentionForward", 4 * kTensor + kDistance + kRow},
      {Kernel::kAttentionDelta, "AttentionDelta", 2 * kTensor + kRow},
      {Kernel::kAttentionBackwardQ, "AttentionBackwardQ", 5 * kTensor + kDistance + 2 * kRow},
      {Kernel::kAttentionBackwardKv, "AttentionBackwardKv", 6 * kTensor + kDistance + 2 * kRow}};
  for (const auto& one : all) {
    call.kernel = one.kernel;
    plan_attention(call);
    print(one.name, call, testing::run(call, buffers), one.least);
  }
}

void count_mixing() {
  constexpr int kPatches = 196, kChannels = 512;
  constexpr size_t kSize = static_cast<size_t>(kPatches) * kChannels;
  DeviceBuffers buffers;
  const auto input = [&](size_t count) {
    return static_cast<const BFloat16*>(buffers.input(numbers(count), Storage::kBFloat16));
  };
  KernelCall call;
  call.float_distance = false;
  auto& a = call.mixing;
  a.batch = 1, a.patches = kPatches, a.channels = kChannels, a.columns = 14, a.slices = 1;
  a.weight = input(kPatches * kPatches);
  a.distance = reinterpret_cast<const float*>(input(kPatches * kPatches));
  a.kappa = static_cast<const float*>(buffers.input({0.5}, Storage::kFloat));
  a.x = input(kSize), a.dy = input(kSize);
  a.y = static_cast<BFloat16*>(buffers.output(kSize, Storage::kBFloat16));
  a.d_weight = static_cast<float*>(buffers.output(kPatches * kPatches, Storage::kFloat));
  a.d_kappa = static_cast<float*>(buffers.output(64, Storage::kFloat));
  constexpr int64_t kTensor = kSize * 2, kDistance = kPatches * kPatches * 2;
  const auto count = [&](Kernel kernel, const char* name) {
    call.kernel = kernel;
    plan_mixing(call);
    print(name, call, testing::run(call, buffers), 2 * kTensor + kDistance);
  };
  count(Kernel::kMixingProduct, "MixingProduct");
  a.kernel = 9;
  count(Kernel::kMixingProduct, "MixingProduct (9 x 9)");
  a.kernel = 0;
  count(Kernel::kMixingGradient, "MixingGradient");
}

void count_distance() {
  constexpr int kPatches = 196, kClasses = 1000;
  DeviceBuffers buffers;
  KernelCall call;
  call.float_distance = false;
  auto& a = call.distance;
  a.batch = 1, a.patches = kPatches;
  a.distance = static_cast<float*>(buffers.output(kPatches * kPatches, Storage::kBFloat16));
  const auto count = [&](int channels, const char* name) {
    const size_t labels = static_cast<size_t>(kPatches) * channels;
    a.channels = channels, a.cosine = channels > 1;
    a.labels = static_cast<const float*>(buffers.input(numbers(labels), Storage::kFloat));
    plan_distance(call);
    print(name, call, testing::run(call, buffers),
          static_cast<int64_t>(labels) * 4 + kPatches * kPatches * 2);
  };
  count(1, "DistanceOfNumbers");
  count(kClasses, "DistanceOfRows");
}

}  // namespace
}  // namespace remixer::device

int main() {
  remixer::device::count_attention();
  remixer::device::count_mixing();
  remixer::device::count_distance();
  std::printf("\n]\n");
}
