// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simt.h"

#include <algorithm>
#include <array>
#include <boost/context/fiber.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <boost/context/preallocated.hpp>
#include <cmath>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <set>

#include "core/kernels/device/simt.h"
#include "tests/support/simt_shared_memory.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace remixer::testing {
namespace {

constexpr int kLanes = 32;

// A place where threads wait for each other: `arrived` of `size`, then all go on.
struct Meeting {
  const char* what = nullptr;  // what they came for
  int arrived = 0;
  int64_t round = 0;
};

struct Copy {
  uint32_t shared;
  const void* global;
  bool valid;
};

struct Access {
  uintptr_t begin = 0;
  int bytes = 0;
  bool valid = false;
};

// The accesses of a warp's lanes, gathered to requests: each lane's n-th belongs to the n-th.
struct Requests {
  struct Request {
    std::vector<Access> lanes = std::vector<Access>(kLanes);
    int made = 0;
  };
  std::array<int64_t, kLanes> made{};
  std::deque<Request> open;
  int64_t first_open = 0;
};

struct Warp {
  Meeting meeting;
  std::array<const void*, kLanes> in{};
  std::array<void*, kLanes> out{};
  int64_t epoch = 0;  // of barriers
  Requests loads, stores, shared;
};

struct Thread {
  boost::context::fiber fiber;
  const void* stack_bottom = nullptr;
  size_t stack_size = 0;
  const Meeting* waits_for = nullptr;
  int64_t waits_in = 0;
  std::vector<Copy> copies;                  // not committed
  std::deque<std::vector<Copy>> on_the_way;  // committed groups
  bool done = false;
};

// AddressSanitizer is told of each change of stacks.
struct Stack {
  const void* bottom = nullptr;
  size_t size = 0;
};
#ifdef __SANITIZE_ADDRESS__
void leave_for(const Stack& to, void** kept) {
  __sanitizer_start_switch_fiber(kept, to.bottom, to.size);
}
void arrived(void* kept, Stack* from) {
  __sanitizer_finish_switch_fiber(kept, from ? &from->bottom : nullptr,
                                  from ? &from->size : nullptr);
}
#else
void leave_for(const Stack&, void**) {}
void arrived(void*, Stack*) {}
#endif

struct Block {
  const Launch* launch = nullptr;
  const GlobalMemory* memory = nullptr;
  std::array<int, 3> index{};
  SharedMemory shared{0};
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  Meeting barrier;
  boost::context::fiber scheduler;
  Stack scheduler_stack;
  int running = 0;
  SimtCounters counters;
  std::string fault;
};

Block* g_block = nullptr;

Thread& self() {
  return g_block->threads[g_block->running];
}
Warp& my_warp() {
  return g_block->warps[g_block->running / kLanes];
}
int my_lane() {
  return g_block->running % kLanes;
}

struct Unwind {};

[[noreturn]] void fault(const std::string& what) {
  const auto& b = *g_block;
  if (g_block->fault.empty()) {
    g_block->fault = "block (" + std::to_string(b.index[0]) + ", " + std::to_string(b.index[1]) +
                     ", " + std::to_string(b.index[2]) + "), thread " + std::to_string(b.running) +
                     ": " + what;
  }
  throw Unwind();
}

// Back to the scheduler until `meeting` has begun another round.
void wait(const Meeting& meeting) {
  Thread& thread = self();
  thread.waits_for = &meeting;
  thread.waits_in = meeting.round;
  void* kept = nullptr;
  leave_for(g_block->scheduler_stack, &kept);
  g_block->scheduler = std::move(g_block->scheduler).resume();
  arrived(kept, nullptr);
  if (!g_block->fault.empty()) throw Unwind();
}

// All `size` threads meet; the last one runs `act` for all.
template <typename Act>
void meet(Meeting& meeting, const char* what, int size, Act&& act) {
  if (meeting.arrived > 0 && std::strcmp(meeting.what, what) != 0) {
    fault(std::string("reaches ") + what + " while others wait at " + meeting.what);
  }
  meeting.what = what;
  if (++meeting.arrived < size) return wait(meeting);
  act();
  meeting.arrived = 0;
  ++meeting.round;
}

template <typename Act>
void meet_warp(const char* what, Act&& act) {
  meet(my_warp().meeting, what, kLanes, act);
}

int64_t count_sectors(const std::vector<Access>& accesses) {
  std::set<uintptr_t> sectors;
  for (const Access& access : accesses) {
    if (!access.valid) continue;
    for (uintptr_t s = access.begin / 32; s <= (access.begin + access.bytes - 1) / 32; ++s)
      sectors.insert(s);
  }
  return static_cast<int64_t>(sectors.size());
}

// Lanes that ask for 16 bytes are served 8 at a time, for 8 bytes 16 at a time.
int64_t count_wavefronts(const std::vector<Access>& accesses) {
  const size_t together = kLanes / std::max(accesses.front().bytes / 4, 1);
  int64_t wavefronts = 0;
  for (size_t first = 0; first < accesses.size(); first += together) {
    std::array<std::set<uintptr_t>, 32> words;
    for (size_t l = first; l < std::min(first + together, accesses.size()); ++l) {
      if (!accesses[l].valid) continue;
      for (int byte = 0; byte < accesses[l].bytes; byte += 4) {
        const uintptr_t word = (accesses[l].begin + byte) / 4;
        words[word % 32].insert(word);
      }
    }
    size_t most = 0;
    for (const auto& bank : words) most = std::max(most, bank.size());
    wavefronts += static_cast<int64_t>(most);
  }
  return wavefronts;
}

template <typename Count>
void note(Requests& requests, Access access, Count&& count) {
  const int64_t at = requests.made[my_lane()]++ - requests.first_open;
  if (at >= static_cast<int64_t>(requests.open.size())) requests.open.emplace_back();
  requests.open[at].lanes[my_lane()] = access;
  ++requests.open[at].made;
  while (!requests.open.empty() && requests.open.front().made == kLanes) {
    count(requests.open.front().lanes);
    requests.open.pop_front();
    ++requests.first_open;
  }
}

void count_global(Access access, bool store) {
  SimtCounters& c = g_block->counters;
  note(store ? my_warp().stores : my_warp().loads, access, [&](const std::vector<Access>& all) {
    int64_t bytes = 0;
    for (const Access& a : all) bytes += a.valid ? a.bytes : 0;
    if (bytes == 0) return;
    (store ? c.store_requests : c.load_requests) += 1;
    (store ? c.store_bytes : c.load_bytes) += bytes;
    (store ? c.store_sectors : c.load_sectors) += count_sectors(all);
    (store ? c.store_ideal_sectors : c.load_ideal_sectors) += (bytes + 31) / 32;
  });
}

void count_shared(Access access) {
  note(my_warp().shared, access, [](const std::vector<Access>& all) {
    int64_t bytes = 0;
    for (const Access& a : all) bytes += a.valid ? a.bytes : 0;
    if (bytes == 0) return;
    g_block->counters.shared_wavefronts += count_wavefronts(all);
    g_block->counters.shared_ideal_wavefronts += (bytes + 127) / 128;
  });
}

SharedMemory::Who who() {
  return {g_block->running, g_block->barrier.round, my_warp().epoch};
}

void shared_read(void* to, uint32_t from, int bytes) {
  const std::string wrong = g_block->shared.read(to, from, bytes, who());
  if (!wrong.empty()) fault(wrong);
}

void shared_write(uint32_t to, const void* from, int bytes) {
  const std::string wrong = g_block->shared.write(to, from, bytes, who());
  if (!wrong.empty()) fault(wrong);
}

void check_global(const void* address, int bytes, bool write) {
  if (reinterpret_cast<uintptr_t>(address) % bytes != 0)
    fault("global access of " + std::to_string(bytes) + " bytes is not aligned");
  if (!g_block->memory->allows(address, bytes, write))
    fault(std::string(write ? "writes" : "reads") + " outside of the buffers in global memory");
}

void finish(Thread& thread) {
  if (!thread.copies.empty() || !thread.on_the_way.empty())
    fault("ends with asynchronous copies on their way");
}

void run_thread(const std::function<void()>& kernel) {
  try {
    kernel();
    finish(self());
  } catch (const Unwind&) {
  }
  self().done = true;
}

std::vector<int> order_of(const Launch& launch, std::mt19937_64& random) {
  std::vector<int> order(launch.threads);
  for (int i = 0; i < launch.threads; ++i) order[i] = i;
  if (launch.order == ThreadOrder::kBackward) std::reverse(order.begin(), order.end());
  if (launch.order == ThreadOrder::kShuffled) std::shuffle(order.begin(), order.end(), random);
  return order;
}

bool can_run(const Thread& thread) {
  return !thread.done && (!thread.waits_for || thread.waits_for->round != thread.waits_in);
}

void resume(int index) {
  g_block->running = index;
  Thread& thread = g_block->threads[index];
  thread.waits_for = nullptr;
  void* kept = nullptr;
  leave_for({thread.stack_bottom, thread.stack_size}, &kept);
  thread.fiber = std::move(thread.fiber).resume();
  arrived(kept, nullptr);
}

// One turn for every thread of `order` that can go on; true where one could.
bool turn(const std::vector<int>& order, size_t begin, size_t end) {
  bool any = false;
  for (size_t i = begin; i < end; ++i) {
    if (!can_run(g_block->threads[order[i]])) continue;
    resume(order[i]);
    any = true;
  }
  return any;
}

void schedule(const Launch& launch, std::mt19937_64& random) {
  for (bool any = true; any;) {
    const std::vector<int> order = order_of(launch, random);
    any = false;
    if (launch.order == ThreadOrder::kWarpByWarp) {
      // Each warp as far as it gets before another begins.
      for (size_t first = 0; first < order.size(); first += kLanes)
        while (turn(order, first, first + kLanes)) any = true;
    } else {
      any = turn(order, 0, order.size());
    }
  }
}

// Where threads are left, they wait for ones that ended or that wait elsewhere.
void check_all_done() {
  for (size_t i = 0; i < g_block->threads.size(); ++i) {
    const Thread& thread = g_block->threads[i];
    if (thread.done) continue;
    if (g_block->fault.empty()) {
      g_block->fault =
          "thread " + std::to_string(i) + " waits for ever at " + thread.waits_for->what;
    }
  }
}

}  // namespace

SimtCounters& SimtCounters::operator+=(const SimtCounters& o) {
  load_requests += o.load_requests, load_sectors += o.load_sectors;
  load_ideal_sectors += o.load_ideal_sectors, load_bytes += o.load_bytes;
  store_requests += o.store_requests, store_sectors += o.store_sectors;
  store_ideal_sectors += o.store_ideal_sectors, store_bytes += o.store_bytes;
  shared_wavefronts += o.shared_wavefronts, shared_ideal_wavefronts += o.shared_ideal_wavefronts;
  multiply_adds += o.multiply_adds, barriers += o.barriers, exponentials += o.exponentials;
  return *this;
}

void GlobalMemory::readable(const void* begin, size_t bytes) {
  const auto at = reinterpret_cast<uintptr_t>(begin);
  ranges_.push_back({at, at + bytes, false});
}

void GlobalMemory::writable(void* begin, size_t bytes) {
  const auto at = reinterpret_cast<uintptr_t>(begin);
  ranges_.push_back({at, at + bytes, true});
}

bool GlobalMemory::allows(const void* begin, size_t bytes, bool write) const {
  const auto at = reinterpret_cast<uintptr_t>(begin);
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
    return at >= range.begin && at + bytes <= range.end && (range.write || !write);
  });
}

SimtCounters launch(const Launch& launch, const GlobalMemory& memory,
                    const std::function<void()>& kernel) {
  namespace context = boost::context;
  SimtCounters counters;
  std::mt19937_64 random(launch.seed);
  context::pooled_fixedsize_stack stacks(256 * 1024);
  const int blocks = launch.grid[0] * launch.grid[1] * launch.grid[2];
  for (int index = 0; index < blocks; ++index) {
    Block block;
    block.launch = &launch;
    block.memory = &memory;
    block.index = {index % launch.grid[0], index / launch.grid[0] % launch.grid[1],
                   index / (launch.grid[0] * launch.grid[1])};
    block.shared = SharedMemory(launch.shared_bytes);
    block.threads.resize(launch.threads);
    block.warps.resize(launch.threads / kLanes);
    g_block = &block;
    for (Thread& thread : block.threads) {
      const context::stack_context stack = stacks.allocate();
      thread.stack_bottom = static_cast<char*>(stack.sp) - stack.size;
      thread.stack_size = stack.size;
#ifdef __SANITIZE_ADDRESS__
      // A stack used again keeps no marks of the fiber before.
      __asan_unpoison_memory_region(thread.stack_bottom, stack.size);
#endif
      thread.fiber =
          context::fiber(std::allocator_arg, context::preallocated(stack.sp, stack.size, stack),
                         stacks, [&](context::fiber&& scheduler) {
                           arrived(nullptr, &g_block->scheduler_stack);
                           g_block->scheduler = std::move(scheduler);
                           run_thread(kernel);
                           leave_for(g_block->scheduler_stack, nullptr);
                           return std::move(g_block->scheduler);
                         });
    }
    schedule(launch, random);
    check_all_done();
    // Those left are unwound by a last turn each.
    for (size_t i = 0; i < block.threads.size(); ++i)
      if (!block.threads[i].done) resume(static_cast<int>(i));
    g_block = nullptr;
    if (!block.fault.empty()) throw SimtError(block.fault);
    counters += block.counters;
  }
  return counters;
}

}  // namespace remixer::testing

namespace remixer::device {

using namespace remixer::testing;  // NOLINT: the emulator's own

int thread_index() {
  return g_block->running;
}
int block_threads() {
  return g_block->launch->threads;
}
int block_index(int axis) {
  return g_block->index[axis];
}

void sync_block() {
  meet(g_block->barrier, "sync_block", block_threads(), [] { ++g_block->counters.barriers; });
}
void sync_warp() {
  meet_warp("sync_warp", [] { ++my_warp().epoch; });
}

float shuffle_xor(float value, int lanes) {
  Warp& warp = my_warp();
  float result = 0;
  warp.in[my_lane()] = &value;
  warp.out[my_lane()] = &result;
  meet_warp("shuffle_xor", [&] {
    for (int l = 0; l < kLanes; ++l)
      *static_cast<float*>(warp.out[l]) = *static_cast<const float*>(warp.in[l ^ lanes]);
  });
  return result;
}

uint32_t ballot(bool value) {
  Warp& warp = my_warp();
  uint32_t result = 0;
  warp.in[my_lane()] = &value;
  warp.out[my_lane()] = &result;
  meet_warp("ballot", [&] {
    uint32_t bits = 0;
    for (int l = 0; l < kLanes; ++l)
      bits |= static_cast<uint32_t>(*static_cast<const bool*>(warp.in[l])) << l;
    for (int l = 0; l < kLanes; ++l) *static_cast<uint32_t*>(warp.out[l]) = bits;
  });
  return result;
}

void atomic_add(float* to, float value) {
  check_global(to, sizeof(float), true);
  *to += value;
}

void copy_async(uint32_t shared, const void* global, bool valid) {
  if (valid) check_global(global, 16, false);
  if (shared % 16 != 0) fault("copy_async to an address that is not 16-byte aligned");
  count_global({reinterpret_cast<uintptr_t>(global), 16, valid}, false);
  count_shared({shared, 16, true});
  const std::string wrong = g_block->shared.expect(shared, 16, who());
  if (!wrong.empty()) fault(wrong);
  self().copies.push_back({shared, global, valid});
}

void copy_async_commit() {
  self().on_the_way.push_back(std::move(self().copies));
  self().copies.clear();
}

template <int kPending>
void copy_async_wait() {
  Thread& thread = self();
  while (thread.on_the_way.size() > kPending) {
    for (const Copy& copy : thread.on_the_way.front()) {
      std::array<unsigned char, 16> bytes{};
      if (copy.valid) std::memcpy(bytes.data(), copy.global, 16);
      shared_write(copy.shared, bytes.data(), 16);
    }
    thread.on_the_way.pop_front();
  }
}
template void copy_async_wait<0>();
template void copy_async_wait<1>();
template void copy_async_wait<2>();

namespace {

struct MatricesCall {
  uint32_t* to;
  uint32_t from;
};

void load(uint32_t to[4], uint32_t shared, bool transposed) {
  if (shared % 16 != 0) fault("a matrix's row is not 16-byte aligned");
  // Each lane reads its own row, so that faults name it; the last one deals out.
  struct Row {
    uint16_t element[8];
    uint32_t* to;
    uint32_t from;
  } row{};
  shared_read(row.element, shared, 16);
  row.to = to;
  row.from = shared;
  Warp& warp = my_warp();
  warp.in[my_lane()] = &row;
  meet_warp(transposed ? "load_matrices_transposed" : "load_matrices", [&] {
    const auto row_of = [&](int i) -> const Row& { return *static_cast<const Row*>(warp.in[i]); };
    for (int m = 0; m < 4; ++m) {
      std::vector<Access> rows;
      for (int r = 0; r < 8; ++r) rows.push_back({row_of(8 * m + r).from, 16, true});
      g_block->counters.shared_wavefronts += count_wavefronts(rows);
      g_block->counters.shared_ideal_wavefronts += 1;
      for (int l = 0; l < kLanes; ++l) {
        const int g = l / 4, t = 2 * (l % 4);
        const uint16_t low =
            transposed ? row_of(8 * m + t).element[g] : row_of(8 * m + g).element[t];
        const uint16_t high =
            transposed ? row_of(8 * m + t + 1).element[g] : row_of(8 * m + g).element[t + 1];
        row_of(l).to[m] = low | static_cast<uint32_t>(high) << 16;
      }
    }
  });
}

struct Product {
  float* c;
  const uint32_t* a;
  const uint32_t* b;
};

}  // namespace

void load_matrices(uint32_t to[4], uint32_t shared) {
  load(to, shared, false);
}
void load_matrices_transposed(uint32_t to[4], uint32_t shared) {
  load(to, shared, true);
}

template <class T>
void multiply_add(float c[4], const uint32_t a[4], const uint32_t b[2]) {
  Warp& warp = my_warp();
  const Product mine{c, a, b};
  warp.in[my_lane()] = &mine;
  meet_warp("multiply_add", [&] {
    ++g_block->counters.multiply_adds;
    float left[16][16], right[16][8];
    for (int l = 0; l < kLanes; ++l) {
      const auto& from = *static_cast<const Product*>(warp.in[l]);
      const int g = l / 4, t = 2 * (l % 4);
      for (int half = 0; half < 2; ++half) {
        const auto value = [half](uint32_t word) {
          return unpack<T>(static_cast<uint16_t>(word >> (16 * half)));
        };
        left[g][t + half] = value(from.a[0]);
        left[g + 8][t + half] = value(from.a[1]);
        left[g][t + 8 + half] = value(from.a[2]);
        left[g + 8][t + 8 + half] = value(from.a[3]);
        right[t + half][g] = value(from.b[0]);
        right[t + 8 + half][g] = value(from.b[1]);
      }
    }
    for (int l = 0; l < kLanes; ++l) {
      float* sums = static_cast<const Product*>(warp.in[l])->c;
      for (int e = 0; e < 4; ++e) {
        const int row = l / 4 + 8 * (e / 2), column = 2 * (l % 4) + e % 2;
        float sum = 0;
        for (int k = 0; k < 16; ++k) sum += left[row][k] * right[k][column];
        sums[e] += sum;
      }
    }
  });
}
template void multiply_add<BFloat16>(float*, const uint32_t*, const uint32_t*);
template void multiply_add<Half>(float*, const uint32_t*, const uint32_t*);

namespace {

uint32_t bits_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return bits;
}

uint32_t to_bfloat16(float x) {
  const uint32_t bits = bits_of(x);
  if (std::isnan(x)) return 0x7fff;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

uint32_t to_half(float x) {
  const _Float16 half = static_cast<_Float16>(x);
  uint16_t bits;
  std::memcpy(&bits, &half, 2);
  return bits;
}

}  // namespace

template <>
uint32_t pack<BFloat16>(float low, float high) {
  return to_bfloat16(low) | to_bfloat16(high) << 16;
}
template <>
uint32_t pack<Half>(float low, float high) {
  return to_half(low) | to_half(high) << 16;
}
template <>
float unpack<BFloat16>(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float x;
  std::memcpy(&x, &wide, 4);
  return x;
}
template <>
float unpack<Half>(uint16_t bits) {
  _Float16 x;
  std::memcpy(&x, &bits, 2);
  return static_cast<float>(x);
}

float exp2(float x) {
  ++g_block->counters.exponentials;
  return std::exp2(x);
}
float log2(float x) {
  return std::log2(x);
}
float square_root(float x) {
  return std::sqrt(x);
}
float exp2_minus_1(float x) {
  ++g_block->counters.exponentials;
  return std::expm1(x * 0.6931471805599453f);
}

void emulated_shared_load(void* to, uint32_t from, int bytes) {
  count_shared({from, bytes, true});
  shared_read(to, from, bytes);
}
void emulated_shared_store(uint32_t to, const void* from, int bytes) {
  count_shared({to, bytes, true});
  shared_write(to, from, bytes);
}
void emulated_global_load(void* to, const void* from, int bytes, bool valid) {
  count_global({reinterpret_cast<uintptr_t>(from), bytes, valid}, false);
  if (!valid) return;
  check_global(from, bytes, false);
  std::memcpy(to, from, bytes);
}
void emulated_global_store(void* to, const void* from, int bytes, bool valid) {
  count_global({reinterpret_cast<uintptr_t>(to), bytes, valid}, true);
  if (!valid) return;
  check_global(to, bytes, true);
  std::memcpy(to, from, bytes);
}

}  // namespace remixer::device
