// SPDX-License-Identifier: Apache-2.0
#include "core/loading/device_queue.h"

#include <c10/core/impl/VirtualGuardImpl.h>

#include <cassert>
#include <vector>

namespace remixer::training {
namespace {

std::vector<at::Tensor*> tensors_of(Batch& batch) {
  std::vector<at::Tensor*> all{&batch.images, &batch.patch_labels, &batch.classes};
  if (auto& packed = batch.packed_labels) {
    all.insert(all.end(), {&packed->others, &packed->index, &packed->values});
  }
  return all;
}

}  // namespace

Batch to_device(Batch batch, at::Device device) {
  for (at::Tensor* tensor : tensors_of(batch)) {
    if (tensor->defined()) *tensor = tensor->to(device, /*non_blocking=*/true);
  }
  if (batch.packed_labels) {
    batch.patch_labels = unpack_labels(*batch.packed_labels);
    batch.packed_labels.reset();
  }
  return batch;
}

DeviceQueue::DeviceQueue(Loader& loader, at::Device device, int64_t batches)
    : loader_(loader), device_(device), left_(batches) {
  if (device.is_cpu()) return;
  stream_ = c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device);
}

void DeviceQueue::prefetch() {
  if (!stream_ || copied_ || left_ == 0) return;
  Batch batch = loader_.next();
  const c10::impl::VirtualGuardImpl device(device_.type());
  const c10::Stream computing = device.exchangeStream(*stream_);
  coming_ = to_device(std::move(batch), device_);
  copied_.emplace(device_.type());
  copied_->record(*stream_);
  device.exchangeStream(computing);
}

Batch DeviceQueue::next() {
  assert(left_ > 0);
  prefetch();
  --left_;
  if (!copied_) return to_device(loader_.next(), device_);
  const c10::Stream computing = c10::impl::VirtualGuardImpl(device_.type()).getStream(device_);
  copied_->block(computing);
  copied_.reset();
  // The tensors' memory belongs to the copy stream, which must not reuse it until the compute
  // stream is done with it.
  for (at::Tensor* tensor : tensors_of(coming_)) {
    if (tensor->defined()) tensor->record_stream(computing);
  }
  return std::exchange(coming_, {});
}

}  // namespace remixer::training
