// SPDX-License-Identifier: Apache-2.0
#include "core/loading/loader.h"

#include <ATen/ops/empty.h>

#include <cassert>

namespace remixer::training {

Batch make_batch(SampleStore& store, const std::vector<Draw>& draws, BatchForm form) {
  const auto size = static_cast<int64_t>(draws.size());
  const int64_t side = store.image_size(), patches = store.grid() * store.grid();
  const int64_t channels = store.label_channels();
  const auto tensor = [&](at::IntArrayRef shape, at::ScalarType type) {
    return at::empty(shape, at::TensorOptions().dtype(type).pinned_memory(form.pinned));
  };
  Batch batch;
  batch.images = tensor({size, 3, side, side}, at::kFloat);
  batch.classes = tensor({size}, at::kLong);
  auto* images = batch.images.data_ptr<float>();
  auto* classes = batch.classes.data_ptr<int64_t>();
  const bool packed =
      form.packed && store.has_top_k_labels() && worth_packing(size, patches, channels);
  data::SparsePatchLabels sparse;
  float* labels = nullptr;
  if (store.has_labels() && !packed) {
    // Page-locked memory is scarce: none for many channels.
    const bool pinned = form.pinned && channels < kFewestPackedChannels;
    batch.patch_labels = at::empty({size, patches, channels},
                                   at::TensorOptions().dtype(at::kFloat).pinned_memory(pinned));
    labels = batch.patch_labels.data_ptr<float>();
  }
  for (int64_t i = 0; i < size; ++i) {
    const Draw& draw = draws[static_cast<size_t>(i)];
    float* image = images + i * 3 * side * side;
    const int64_t sample =
        packed ? store.read(draw, image, sparse)
               : store.read(draw, image, labels ? labels + i * patches * channels : nullptr);
    classes[i] = store.dataset().samples()[static_cast<size_t>(sample)].label;
  }
  if (packed) batch.packed_labels = pack_labels(sparse, size, patches, channels, form.pinned);
  return batch;
}

Loader::Loader(SampleStore& store, Plan plan, int64_t first, int64_t end, int threads,
               BatchForm form)
    : store_(store),
      plan_(std::move(plan)),
      end_(end),
      ahead_(threads + 1),
      form_(form),
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
      slot.batch = make_batch(store_, plan_(number), form_);
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
