// SPDX-License-Identifier: Apache-2.0
#include "core/loading/loader.h"

#include <ATen/ops/empty.h>

#include <cassert>

namespace remixer::training {

namespace {

void pack(Batch& batch) {
  batch.packed_labels = pack_labels(batch.patch_labels, /*pinned=*/true);
  if (batch.packed_labels) batch.patch_labels = at::Tensor();
}

}  // namespace

Batch make_batch(SampleStore& store, const std::vector<Draw>& draws, bool pinned) {
  const auto size = static_cast<int64_t>(draws.size());
  const int64_t side = store.image_size(), patches = store.grid() * store.grid();
  const auto tensor = [&](at::IntArrayRef shape, at::ScalarType type) {
    return at::empty(shape, at::TensorOptions().dtype(type).pinned_memory(pinned));
  };
  Batch batch;
  batch.images = tensor({size, 3, side, side}, at::kFloat);
  batch.classes = tensor({size}, at::kLong);
  auto* images = batch.images.data_ptr<float>();
  auto* classes = batch.classes.data_ptr<int64_t>();
  float* labels = nullptr;
  if (store.has_labels()) {
    // Page-locked memory is expensive, and labels of many channels are packed later anyway.
    batch.patch_labels = store.label_channels() > 1
                             ? at::empty({size, patches, store.label_channels()}, at::kFloat)
                             : tensor({size, patches, store.label_channels()}, at::kFloat);
    labels = batch.patch_labels.data_ptr<float>();
  }
  for (int64_t i = 0; i < size; ++i) {
    const int64_t sample =
        store.read(draws[static_cast<size_t>(i)], images + i * 3 * side * side,
                   labels ? labels + i * patches * store.label_channels() : nullptr);
    classes[i] = store.dataset().samples()[static_cast<size_t>(sample)].label;
  }
  if (pinned && labels) pack(batch);
  return batch;
}

Loader::Loader(SampleStore& store, Plan plan, int64_t first, int64_t end, int threads, bool pinned)
    : store_(store),
      plan_(std::move(plan)),
      end_(end),
      ahead_(threads + 1),
      pinned_(pinned),
      next_made_(first),
      next_taken_(first) {
  assert(threads >= 1);
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  room_.notify_all();
}

void Loader::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    room_.wait(
        lock, [&] { return stopping_ || next_made_ == end_ || next_made_ < next_taken_ + ahead_; });
    if (stopping_ || next_made_ == end_) return;
    const int64_t number = next_made_++;
    lock.unlock();
    Slot slot;
    try {
      slot.batch = make_batch(store_, plan_(number), pinned_);
    } catch (...) {
      slot.error = std::current_exception();
    }
    lock.lock();
    slots_.emplace(number, std::move(slot));
    ready_.notify_one();
  }
}

Batch Loader::next() {
  std::unique_lock lock(mutex_);
  assert(next_taken_ < end_);
  ready_.wait(lock, [&] { return slots_.contains(next_taken_); });
  auto node = slots_.extract(next_taken_);
  ++next_taken_;
  lock.unlock();
  room_.notify_one();
  if (node.mapped().error) std::rethrow_exception(node.mapped().error);
  return std::move(node.mapped().batch);
}

}  // namespace remixer::training
