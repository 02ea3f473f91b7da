// SPDX-License-Identifier: Apache-2.0
// One kernel that calls each function of core/kernels/device/simt.h once and writes down what it
// gave. The emulator's answers are kept in instructions.txt; a GPU must give the same.
#pragma once

#include <cstdint>

#include "core/kernels/device/simt.h"

namespace remixer::device {

constexpr int kProbeThreads = 64;  // two warps

// A line of instructions.txt: what was called, and how far a GPU may be off, relative to the larger
// of 1 and the answer. 0: the same bits.
struct Probe {
  const char* name;
  int answers;  // 32-bit words of each thread
  double tolerance;
};
constexpr double kApproximate = 1e-6;
constexpr Probe kProbes[] = {
    {"shuffle_xor 1", 1, 0},
    {"shuffle_xor 2", 1, 0},
    {"shuffle_xor 4", 1, 0},
    {"shuffle_xor 8", 1, 0},
    {"shuffle_xor 16", 1, 0},
    {"ballot", 1, 0},
    {"pack bfloat16", 1, 0},
    {"pack half", 1, 0},
    {"unpack bfloat16", 1, 0},
    {"unpack half", 1, 0},
    {"exp2", 1, kApproximate},
    {"log2", 1, kApproximate},
    {"square_root", 1, 0},
    {"exp2_minus_1", 1, kApproximate},
    {"shared memory", 4, 0},
    {"load_matrices", 4, 0},
    {"load_matrices_transposed", 4, 0},
    {"multiply_add bfloat16", 4, 0},
    {"multiply_add half", 4, 0},
    {"copy_async", 4, 0},
    {"copy_async not valid", 4, 0},
    {"global_load", 1, 0},
    {"global_load not valid", 1, 0},
    {"block and threads", 1, 0},
};
constexpr int kProbeAnswers = [] {
  int all = 0;
  for (const Probe& probe : kProbes) all += probe.answers;
  return all;
}();
constexpr int kProbeSums = 4;
constexpr int64_t kProbeSharedBytes = 8192;
// What the kernel copies and loads.
constexpr float probe_source(int i) {
  return static_cast<float>(i) * 0.25F - 7.0F;
}

struct InstructionProbe {
  struct Arguments {
    uint32_t* answers;    // [kProbeAnswers, kProbeThreads]
    float* sums;          // [kProbeSums], zeros; atomic_add's
    const float* source;  // [4 · kProbeThreads], aligned to 16 bytes
  };
  static constexpr int kMaxThreads = kProbeThreads;

  static REMIXER_DEVICE uint32_t bits_of(float value) {
    uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof(bits));
    return bits;
  }
  // The same for any compiler: numbers in [0, 2^32), by thread and use.
  static REMIXER_DEVICE uint32_t draw(int thread, uint32_t use) {
    uint32_t x = static_cast<uint32_t>(thread) * 2654435761u + use * 40503u + 12345u;
    x ^= x >> 15;
    x *= 2246822519u;
    x ^= x >> 13;
    return x;
  }
  // In [-8, 8), a multiple of 2^-12.
  static REMIXER_DEVICE float number(int thread, uint32_t use) {
    return static_cast<float>(static_cast<int>(draw(thread, use) >> 16) - 32768) / 4096.0F;
  }
  // From -4 to 4, so that sums of products are exact in any order.
  static REMIXER_DEVICE float whole(int thread, uint32_t use) {
    return static_cast<float>(static_cast<int>(draw(thread, use) % 9) - 4);
  }

  struct Notes {
    const Arguments& a;
    int thread, slot = 0;
    REMIXER_DEVICE void word(uint32_t value) {
      global_store(a.answers + (slot++ * kProbeThreads + thread), value, true);
    }
    REMIXER_DEVICE void number(float value) { word(bits_of(value)); }
    REMIXER_DEVICE void words(const uint32_t value[4]) {
      for (int i = 0; i < 4; ++i) word(value[i]);
    }
    REMIXER_DEVICE void numbers(const float value[4]) {
      for (int i = 0; i < 4; ++i) number(value[i]);
    }
  };

  static REMIXER_DEVICE void lanes_and_numbers(Notes& notes) {
    const int thread = notes.thread;
    for (int lanes = 1; lanes <= 16; lanes *= 2) {
      notes.number(shuffle_xor(number(thread, 1), lanes));
    }
    notes.word(ballot(draw(thread, 2) % 3 == 0));
    const float low = number(thread, 3) * 1.001F, high = number(thread, 4) * 0.37F;
    const uint32_t brain = pack<BFloat16>(low, high), half = pack<Half>(low, high);
    notes.word(brain);
    notes.word(half);
    notes.number(unpack<BFloat16>(static_cast<uint16_t>(brain >> 16)));
    notes.number(unpack<Half>(static_cast<uint16_t>(half & 0xffff)));
    notes.number(exp2(number(thread, 5)));
    notes.number(log2(number(thread, 6) + 8.5F));
    notes.number(square_root(number(thread, 7) + 8.0F));
    notes.number(exp2_minus_1(number(thread, 8) / 64.0F));
  }

  // Each thread's 16 bytes are read by another one.
  static REMIXER_DEVICE void shared(Notes& notes) {
    Quad mine;
    for (int i = 0; i < 4; ++i) mine.word[i] = draw(notes.thread, 10 + i);
    shared_store(static_cast<uint32_t>(notes.thread) * 16, mine);
    sync_block();
    const Quad other = shared_load<Quad>(static_cast<uint32_t>(notes.thread ^ 33) * 16);
    notes.words(other.word);
    sync_block();
  }

  static REMIXER_DEVICE void matrices(Notes& notes) {
    const int warp = notes.thread / 32, lane = notes.thread % 32;
    const auto base = static_cast<uint32_t>(warp) * 512;
    const uint32_t row = base + static_cast<uint32_t>(lane) * 16;
    Quad elements;
    for (int i = 0; i < 4; ++i) elements.word[i] = draw(notes.thread, 20 + i);
    shared_store(row, elements);
    sync_block();
    uint32_t to[4];
    load_matrices(to, row);
    notes.words(to);
    load_matrices_transposed(to, row);
    notes.words(to);
    sync_block();
  }

  template <class T>
  static REMIXER_DEVICE void product(Notes& notes, uint32_t use) {
    uint32_t a[4], b[2];
    float c[4];
    for (int i = 0; i < 4; ++i) {
      a[i] = pack<T>(whole(notes.thread, use + 2 * i), whole(notes.thread, use + 2 * i + 1));
      c[i] = whole(notes.thread, use + 20 + i);
    }
    for (int i = 0; i < 2; ++i) {
      b[i] = pack<T>(whole(notes.thread, use + 30 + 2 * i), whole(notes.thread, use + 31 + 2 * i));
    }
    multiply_add<T>(c, a, b);
    notes.numbers(c);
  }

  // Two groups of copies under way at once; the second one is of addresses that are not valid.
  static REMIXER_DEVICE void copies(Notes& notes, const float* source) {
    const auto first = static_cast<uint32_t>(notes.thread) * 16;
    const uint32_t second = first + 2048;
    copy_async(first, source + 4 * notes.thread, true);
    copy_async_commit();
    copy_async(second, source, false);
    copy_async_commit();
    copy_async_wait<1>();
    sync_block();
    notes.words(shared_load<Quad>(static_cast<uint32_t>(notes.thread ^ 1) * 16).word);
    copy_async_wait<0>();
    sync_block();
    notes.words(shared_load<Quad>(static_cast<uint32_t>(notes.thread ^ 1) * 16 + 2048).word);
  }

  static REMIXER_DEVICE void run(const Arguments& a) {
    Notes notes{a, thread_index()};
    lanes_and_numbers(notes);
    shared(notes);
    matrices(notes);
    product<BFloat16>(notes, 100);
    product<Half>(notes, 200);
    copies(notes, a.source);
    notes.number(global_load(a.source + notes.thread, true, -1.0F));
    notes.number(global_load(a.source + notes.thread, false, -1.0F));
    notes.word(static_cast<uint32_t>(block_threads() * 1000 + block_index(0)));
    atomic_add(a.sums + notes.thread % kProbeSums, 1.5F);
    sync_warp();
  }
};

}  // namespace remixer::device
