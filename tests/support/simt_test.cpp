// SPDX-License-Identifier: Apache-2.0
// The SIMT emulator: it computes what the instructions are documented to, finds the faults that it
// promises to find, and counts right.
#include "tests/support/simt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/kernels/device/simt.h"

namespace remixer::testing {
namespace {

using device::shared_load;
using device::shared_store;
using device::thread_index;
using ::testing::HasSubstr;

SimtCounters run(const Launch& how, const std::function<void()>& kernel,
                 const GlobalMemory& memory = {}) {
  return launch(how, memory, kernel);
}

// What the launch says is wrong with `kernel`, in every thread order; "" where nothing is.
void expect_fault(const Launch& how, const std::string& what, const std::function<void()>& kernel,
                  const GlobalMemory& memory = {}) {
  for (const auto order : {ThreadOrder::kForward, ThreadOrder::kBackward, ThreadOrder::kShuffled,
                           ThreadOrder::kWarpByWarp}) {
    Launch one = how;
    one.order = order;
    try {
      run(one, kernel, memory);
      ADD_FAILURE() << "no fault in order " << static_cast<int>(order);
    } catch (const SimtError& error) {
      EXPECT_THAT(error.what(), HasSubstr(what));
    }
  }
}

const Launch kTwoWarps{.threads = 64, .shared_bytes = 1024};

TEST(Simt, EveryThreadOfEveryBlockRunsOnce) {
  std::vector<float> seen(2 * 3 * 64);
  GlobalMemory memory;
  memory.writable(seen.data(), seen.size() * sizeof(float));
  Launch how = kTwoWarps;
  how.grid[0] = 2, how.grid[1] = 3;
  how.order = ThreadOrder::kShuffled;
  run(
      how,
      [&] {
        const int block = device::block_index(0) + 2 * device::block_index(1);
        device::atomic_add(&seen[block * 64 + thread_index()], 1);
      },
      memory);
  EXPECT_THAT(seen, ::testing::Each(1));
}

TEST(Simt, WarpsExchangeAndVote) {
  run(kTwoWarps, [] {
    const int lane = thread_index() % 32;
    EXPECT_EQ(device::shuffle_xor(static_cast<float>(thread_index()), 5), thread_index() ^ 5);
    EXPECT_EQ(device::ballot(lane % 3 == 0), 0x49249249u);
  });
}

TEST(Simt, BarriersCarrySharedMemoryAcross) {
  const SimtCounters counters = run(kTwoWarps, [] {
    shared_store(thread_index() * 4, static_cast<float>(thread_index()));
    device::sync_block();
    EXPECT_EQ(shared_load<float>((63 - thread_index()) * 4), 63 - thread_index());
  });
  EXPECT_EQ(counters.barriers, 1);
}

TEST(Simt, MatricesComeInTheDocumentedLayout) {
  run({.threads = 32, .shared_bytes = 512}, [] {
    const int lane = thread_index();
    // Element (r, c) of matrix m is 100 m + 10 r + c.
    for (int c = 0; c < 8; ++c)
      shared_store(lane * 16 + 2 * c,
                   static_cast<uint16_t>(100 * (lane / 8) + 10 * (lane % 8) + c));
    device::sync_warp();
    uint32_t plain[4], transposed[4];
    device::load_matrices(plain, lane * 16);
    device::load_matrices_transposed(transposed, lane * 16);
    const int g = lane / 4, t = 2 * (lane % 4);
    for (uint32_t m = 0; m < 4; ++m) {
      EXPECT_EQ(plain[m], (100 * m + 10 * g + t) | (100 * m + 10 * g + t + 1) << 16);
      EXPECT_EQ(transposed[m], (100 * m + 10 * t + g) | (100 * m + 10 * (t + 1) + g) << 16);
    }
  });
}

template <class T>
void check_product() {
  const auto left = [](int i, int k) { return static_cast<float>((i * 7 + k * 3) % 11 - 5); };
  const auto right = [](int k, int j) { return static_cast<float>((k * 5 + j) % 13 - 6); };
  const SimtCounters counters = run({.threads = 32}, [&] {
    const int g = thread_index() / 4, t = 2 * (thread_index() % 4);
    using device::pack;
    const uint32_t a[4] = {
        pack<T>(left(g, t), left(g, t + 1)), pack<T>(left(g + 8, t), left(g + 8, t + 1)),
        pack<T>(left(g, t + 8), left(g, t + 9)), pack<T>(left(g + 8, t + 8), left(g + 8, t + 9))};
    const uint32_t b[2] = {pack<T>(right(t, g), right(t + 1, g)),
                           pack<T>(right(t + 8, g), right(t + 9, g))};
    float c[4] = {1, 2, 3, 4};
    device::multiply_add<T>(c, a, b);
    for (int e = 0; e < 4; ++e) {
      float expected = static_cast<float>(e + 1);
      for (int k = 0; k < 16; ++k) expected += left(g + e / 2 * 8, k) * right(k, t + e % 2);
      EXPECT_EQ(c[e], expected);
    }
  });
  EXPECT_EQ(counters.multiply_adds, 1);
}
TEST(Simt, ProductsFollowTheDocumentedLayout) {
  check_product<device::BFloat16>();
  check_product<device::Half>();
}

TEST(Simt, NumbersAreRoundedToNearestEven) {
  EXPECT_EQ(device::pack<device::BFloat16>(1.00390625f, 1.01171875f), 0x3f823f80u);
  EXPECT_EQ(device::pack<device::Half>(1.00048828125f, -65520.0f), 0xfc003c00u);
  EXPECT_EQ(device::unpack<device::Half>(0x3c01), 1.0009765625f);
}

TEST(Simt, AsynchronousCopiesCompleteAtTheirWaitAlone) {
  alignas(16) uint16_t from[16];
  for (uint16_t i = 0; i < 16; ++i) from[i] = i;
  GlobalMemory memory;
  memory.readable(from, sizeof(from));
  run(
      {.threads = 32, .shared_bytes = 1024},
      [&] {
        const uint32_t to = thread_index() * 32;
        device::copy_async(to, from, true);
        device::copy_async_commit();
        device::copy_async(to + 16, from + 8, thread_index() % 2 == 0);
        device::copy_async_commit();
        device::copy_async_wait<1>();
        EXPECT_EQ(shared_load<uint16_t>(to + 6), 3);
        device::copy_async_wait<0>();
        EXPECT_EQ(shared_load<uint16_t>(to + 22), thread_index() % 2 == 0 ? 11 : 0);
      },
      memory);
  const auto copy = [&](bool waits) {
    device::copy_async(thread_index() * 16, from, true);
    device::copy_async_commit();
    if (waits) device::copy_async_wait<1>();  // for all but the last: for none
  };
  expect_fault(
      {.threads = 32, .shared_bytes = 1024}, "asynchronous copy was not waited for",
      [&] {
        copy(true);
        shared_load<float>(thread_index() * 16);
      },
      memory);
  expect_fault(
      {.threads = 32, .shared_bytes = 1024}, "asynchronous copies on their way",
      [&] { copy(false); }, memory);
}

TEST(SimtFaults, SharedMemoryBeyondItsEndOrNeverWritten) {
  expect_fault(kTwoWarps, "beyond shared memory", [] { shared_store(1024, 1.0f); });
  expect_fault(kTwoWarps, "never written", [] { shared_load<float>(thread_index() * 4); });
  expect_fault(kTwoWarps, "not aligned", [] { shared_store(thread_index() * 4 + 2, 1.0f); });
}

TEST(SimtFaults, ThreadsThatMeetInSharedMemoryWithoutABarrier) {
  // Of these the reader may come first: then what it reads was never written.
  expect_fault(kTwoWarps, "shared memory", [] {
    shared_store(thread_index() * 4, 1.0f);
    shared_load<float>((thread_index() ^ 32) * 4);
  });
  // Neither does a warp's barrier keep two warps apart.
  expect_fault(kTwoWarps, "shared memory", [] {
    shared_store(thread_index() * 4, 1.0f);
    device::sync_warp();
    shared_load<float>((thread_index() ^ 32) * 4);
  });
  // Written anew while others may still read.
  expect_fault(kTwoWarps, "no barrier between", [] {
    shared_store(thread_index() * 4, 1.0f);
    device::sync_block();
    shared_load<float>((thread_index() ^ 32) * 4);
    shared_store(thread_index() * 4, 2.0f);
  });
  expect_fault(kTwoWarps, "another thread wrote", [] { shared_store(0, 1.0f); });
}

TEST(SimtFaults, ThreadsThatDoNotMeet) {
  expect_fault(kTwoWarps, "waits for ever at sync_block", [] {
    if (thread_index() != 5) device::sync_block();
  });
  expect_fault(kTwoWarps, "while others wait at", [] {
    if (thread_index() % 2 == 0)
      device::sync_warp();
    else
      device::ballot(true);
  });
}

TEST(SimtFaults, GlobalMemoryThatWasNotNamed) {
  std::vector<float> data(64);
  GlobalMemory memory;
  memory.readable(data.data(), 63 * sizeof(float));
  expect_fault(
      kTwoWarps, "reads outside", [&] { device::global_load(&data[thread_index()], true, 0.0f); },
      memory);
  expect_fault(
      kTwoWarps, "writes outside",
      [&] { device::global_store(&data[0], 1.0f, thread_index() == 3); }, memory);
}

TEST(SimtCountersTest, CoalescingAndBankConflicts) {
  alignas(32) static float data[32 * 32];
  GlobalMemory memory;
  memory.readable(data, sizeof(data));
  const auto with_stride = [&](int stride) {
    return run(
        {.threads = 32, .shared_bytes = 4096},
        [&] {
          device::global_load(&data[thread_index() * stride], true, 0.0f);
          shared_store(thread_index() * stride * 4, 1.0f);
        },
        memory);
  };
  const SimtCounters together = with_stride(1), apart = with_stride(32);
  EXPECT_EQ(together.load_sectors, 4);
  EXPECT_EQ(together.load_ideal_sectors, 4);
  EXPECT_EQ(together.load_bytes, 128);
  EXPECT_EQ(together.shared_wavefronts, 1);
  EXPECT_EQ(apart.load_sectors, 32);
  EXPECT_EQ(apart.shared_wavefronts, 32);
  EXPECT_EQ(apart.shared_ideal_wavefronts, 1);
}

}  // namespace
}  // namespace remixer::testing
