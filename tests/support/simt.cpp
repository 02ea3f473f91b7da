// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simt.h"

#include <algorithm>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <boost/context/preallocated.hpp>
#include <memory>
#include <random>

#include "tests/support/simt_block.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace remixer::testing {

Block* g_block = nullptr;

namespace {

// Thrown through a thread's frames when the block has a fault.
struct Unwind {};

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

}  // namespace

void fault(const std::string& what) {
  const auto& b = *g_block;
  if (g_block->fault.empty()) {
    g_block->fault = "block (" + std::to_string(b.index[0]) + ", " + std::to_string(b.index[1]) +
                     ", " + std::to_string(b.index[2]) + "), thread " + std::to_string(b.running) +
                     ": " + what;
  }
  throw Unwind();
}

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

namespace {

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
