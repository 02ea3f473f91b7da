// SPDX-License-Identifier: Apache-2.0
// Byte-bounded LRU cache.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace remixer::labelcache {

// Thread-safe. Evicts the least recently used values first; never the newest, whatever its size.
template <typename Value>
class LruCache {
 public:
  explicit LruCache(uint64_t limit) : limit_(limit) {}

  // The value of `key`; make() creates it if it is not cached, and bytes(value) is its size. make()
  // runs outside the lock: two threads may create the same value; the second is then dropped.
  template <typename Make, typename Bytes>
  std::shared_ptr<const Value> get(uint32_t key, Make&& make, Bytes&& bytes) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = kept_.find(key); found != kept_.end()) {
        used_.splice(used_.begin(), used_, found->second.use);
        return found->second.value;
      }
    }
    const auto fresh = std::make_shared<const Value>(make());
    const std::lock_guard lock(mutex_);
    if (const auto found = kept_.find(key); found != kept_.end()) return found->second.value;
    used_.push_front(key);
    kept_[key] = {fresh, used_.begin()};
    held_ += bytes(*fresh);
    while (held_ > limit_ && used_.size() > 1) {
      const auto oldest = kept_.find(used_.back());
      held_ -= bytes(*oldest->second.value);
      kept_.erase(oldest);
      used_.pop_back();
    }
    return fresh;
  }

 private:
  struct Kept {
    std::shared_ptr<const Value> value;
    std::list<uint32_t>::iterator use;
  };
  const uint64_t limit_;
  std::mutex mutex_;  // guards what follows
  std::unordered_map<uint32_t, Kept> kept_;
  std::list<uint32_t> used_;  // most recently used first
  uint64_t held_ = 0;
};

}  // namespace remixer::labelcache
