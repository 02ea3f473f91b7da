// SPDX-License-Identifier: Apache-2.0
// The emulator's running block: its threads, warps and memory. Shared by simt.cpp, which schedules
// the threads, and by the emulated instructions. One block runs at a time, on one thread.
#pragma once

#include <array>
#include <boost/context/fiber.hpp>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "tests/support/simt.h"
#include "tests/support/simt_shared_memory.h"

namespace remixer::testing {

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

// Of a fiber; AddressSanitizer is told of each change between them.
struct Stack {
  const void* bottom = nullptr;
  size_t size = 0;
};

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

extern Block* g_block;

inline Thread& self() {
  return g_block->threads[g_block->running];
}
inline Warp& my_warp() {
  return g_block->warps[g_block->running / kLanes];
}
inline int my_lane() {
  return g_block->running % kLanes;
}

// Ends the block with this message.
[[noreturn]] void fault(const std::string& what);

// Back to the scheduler until `meeting` has begun another round.
void wait(const Meeting& meeting);

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

// Each lane's access to global or shared memory; counted once all lanes of its warp have made
// theirs.
void count_global(Access access, bool store);
void count_shared(Access access);
// Cycles that shared memory takes for one request of a warp. Lanes that ask for 16 bytes are served
// 8 at a time, for 8 bytes 16 at a time.
int64_t count_wavefronts(const std::vector<Access>& accesses);

// Each ends the block with a fault if the access is not allowed.
SharedMemory::Who who();
void shared_read(void* to, uint32_t from, int bytes);
void shared_write(uint32_t to, const void* from, int bytes);
void check_global(const void* address, int bytes, bool write);

}  // namespace remixer::testing
