// SPDX-License-Identifier: Apache-2.0
// A labeler's network on the CPU or on a GPU, for batches that come from several threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

namespace remixer::labelcache {

// Movable; once in place, any thread may call it.
class NetworkOnDevice {
 public:
  // Pixels [B, 3, H, W], 0 to 255, on the device, to what the network says of them, there.
  using Network = std::function<at::Tensor(const at::Tensor& pixels)>;
  // On a GPU so many batches are there at once, so that one is queued when another is done, and
  // memory does not grow with the number of threads.
  static constexpr int kBatches = 2;

  NetworkOnDevice(at::Device device, Network network)
      : device_(device),
        network_(std::move(network)),
        places_(device.is_cpu() ? nullptr : std::make_unique<Places>()) {}

  at::Device device() const { return device_; }

  // Copies the pixels to the device and returns `use` of what the network says. `use` should copy
  // what it needs to main memory. On a GPU, waits until there is a place for the batch.
  template <typename Use>
  auto operator()(const at::Tensor& pixels, Use&& use) const {
    const Place place(places_.get());
    return use(network_(pixels.to(device_)));
  }

 private:
  struct Places {
    std::mutex mutex;
    std::condition_variable freed;
    int free = kBatches;
  };
  class Place {
   public:
    explicit Place(Places* places) : places_(places) {
      if (!places_) return;
      std::unique_lock lock(places_->mutex);
      places_->freed.wait(lock, [this] { return places_->free > 0; });
      --places_->free;
    }
    ~Place() {
      if (!places_) return;
      {
        const std::lock_guard lock(places_->mutex);
        ++places_->free;
      }
      places_->freed.notify_one();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    Places* places_;
  };

  at::Device device_;
  Network network_;
  std::unique_ptr<Places> places_;  // null on the CPU: every thread computes
};

}  // namespace remixer::labelcache
