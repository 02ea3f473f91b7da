// SPDX-License-Identifier: Apache-2.0
// A block's shared memory as the SIMT emulator keeps it: bytes, and of each pair of bytes who last
// wrote and read it and when.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace remixer::testing {

class SharedMemory {
 public:
  // A thread, and how many barriers of its block and warp it has passed.
  struct Who {
    int thread = -1;
    int64_t block_epoch = 0, warp_epoch = 0;
  };

  explicit SharedMemory(int64_t bytes) : bytes_(bytes), cells_((bytes + 1) / 2) {}

  // Each returns what is wrong, or nothing.
  std::string read(void* to, uint32_t from, int bytes, const Who& who) {
    std::string wrong = check(from, bytes);
    for (uint32_t c = from / 2; wrong.empty() && c < (from + bytes + 1) / 2; ++c) {
      Cell& cell = cells_[c];
      if (cell.state == State::kUnwritten) wrong = at("reads shared memory never written", c);
      if (cell.state == State::kOnTheWay)
        wrong = at("reads shared memory whose asynchronous copy was not waited for", c);
      if (wrong.empty() && !apart(cell.writer, who))
        wrong = at("reads, with no barrier between, what another thread wrote to shared memory", c);
      // Of several readers in one warp's epoch the last stands for all but across warps.
      cell.many_readers = cell.reader.thread >= 0 && !apart(cell.reader, who) ? true
                          : cell.reader.block_epoch == who.block_epoch        ? cell.many_readers
                                                                              : false;
      cell.reader = who;
    }
    if (wrong.empty()) std::memcpy(to, bytes_.data() + from, bytes);
    return wrong;
  }

  std::string write(uint32_t to, const void* from, int bytes, const Who& who) {
    std::string wrong = claim(to, bytes, who, State::kWritten);
    if (wrong.empty()) std::memcpy(bytes_.data() + to, from, bytes);
    return wrong;
  }

  // An asynchronous copy to here has begun.
  std::string expect(uint32_t to, int bytes, const Who& who) {
    return claim(to, bytes, who, State::kOnTheWay);
  }

 private:
  enum class State : uint8_t { kUnwritten, kOnTheWay, kWritten };
  struct Cell {
    Who writer, reader;
    bool many_readers = false;
    State state = State::kUnwritten;
  };

  // True where a barrier lies between what `before` did and what `now` does.
  static bool apart(const Who& before, const Who& now) {
    if (before.thread < 0 || before.thread == now.thread) return true;
    if (before.block_epoch < now.block_epoch) return true;
    return before.thread / 32 == now.thread / 32 && before.warp_epoch < now.warp_epoch;
  }

  std::string claim(uint32_t to, int bytes, const Who& who, State state) {
    std::string wrong = check(to, bytes);
    for (uint32_t c = to / 2; wrong.empty() && c < (to + bytes + 1) / 2; ++c) {
      Cell& cell = cells_[c];
      const bool read_by_others =
          cell.many_readers && cell.reader.block_epoch == who.block_epoch &&
          (cell.reader.thread / 32 != who.thread / 32 || cell.reader.warp_epoch == who.warp_epoch);
      if (!apart(cell.reader, who) || read_by_others)
        wrong = at("writes, with no barrier between, what another thread read in shared memory", c);
      if (wrong.empty() && !apart(cell.writer, who))
        wrong =
            at("writes, with no barrier between, where another thread wrote in shared memory", c);
      cell.writer = who;
      cell.state = state;
    }
    return wrong;
  }

  std::string check(uint32_t from, int bytes) const {
    if (from % bytes != 0)
      return "shared access of " + std::to_string(bytes) + " bytes is not aligned";
    if (from + static_cast<int64_t>(bytes) > static_cast<int64_t>(bytes_.size()))
      return at("accesses beyond shared memory", from / 2);
    return "";
  }
  static std::string at(const std::string& what, uint32_t cell) {
    return what + " (byte " + std::to_string(2 * cell) + ")";
  }

  std::vector<unsigned char> bytes_;
  std::vector<Cell> cells_;
};

}  // namespace remixer::testing
