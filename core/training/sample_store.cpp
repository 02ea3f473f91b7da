#include "core/training/sample_store.h"

#include <algorithm>
#include <cassert>

#include "core/base/error.h"
#include "core/data/image.h"

namespace remixer::training {

template <typename T>
void SampleStore::Records<T>::reserve(int64_t count, int64_t record_length, int64_t memory_limit) {
  length = record_length;
  if (count * length * static_cast<int64_t>(sizeof(T)) > memory_limit) return;
  values = std::make_unique_for_overwrite<T[]>(static_cast<size_t>(count * length));
  filled = std::make_unique<std::atomic<bool>[]>(static_cast<size_t>(count));
}

template <typename T>
const T* SampleStore::Records<T>::find(int64_t sample) const {
  if (!values || !filled[sample].load(std::memory_order_acquire)) return nullptr;
  return values.get() + sample * length;
}

template <typename T>
void SampleStore::Records<T>::keep(int64_t sample, const T* record) {
  if (!values) return;
  const std::lock_guard lock(mutex);
  if (filled[sample].load(std::memory_order_relaxed)) return;
  std::copy_n(record, length, values.get() + sample * length);
  filled[sample].store(true, std::memory_order_release);
}

SampleStore::SampleStore(data::Dataset dataset, const data::LabelSource* labels, int64_t grid,
                         int64_t memory_limit)
    : dataset_(std::move(dataset)), labels_(labels), grid_(grid), normalised_(3 * 256) {
  for (size_t channel = 0; channel < 3; ++channel) {
    const float mean = dataset_.mean()[channel], deviation = dataset_.deviation()[channel];
    for (size_t value = 0; value < 256; ++value) {
      normalised_[channel * 256 + value] = (static_cast<float>(value) / 255.0f - mean) / deviation;
    }
  }
  pixels_.reserve(size(), image_size() * image_size() * 3, memory_limit);
  patch_labels_.reserve(size(), grid_ * grid_ * label_channels(), memory_limit);
}

void SampleStore::read_image(int64_t sample, bool mirrored, float* out) {
  assert(sample >= 0 && sample < size());
  const int64_t side = image_size();
  data::Image decoded;
  const uint8_t* pixels = pixels_.find(sample);
  if (!pixels) {
    const auto path = dataset_.image_path(dataset_.samples()[static_cast<size_t>(sample)]);
    decoded = data::read_image(path);
    if (decoded.width != side || decoded.height != side) {
      fail_input("{}: the image is {} x {} pixels, but its dataset says {} x {}; build the dataset again",
                 path.string(), decoded.width, decoded.height, side, side);
    }
    pixels_.keep(sample, decoded.pixels.data());
    pixels = decoded.pixels.data();
  }
  for (int64_t channel = 0; channel < 3; ++channel) {
    const float* table = &normalised_[static_cast<size_t>(channel * 256)];
    for (int64_t y = 0; y < side; ++y) {
      const uint8_t* row = pixels + y * side * 3 + channel;
      float* target = out + (channel * side + y) * side;
      if (mirrored) {
        for (int64_t x = 0; x < side; ++x) target[x] = table[row[(side - 1 - x) * 3]];
      } else {
        for (int64_t x = 0; x < side; ++x) target[x] = table[row[x * 3]];
      }
    }
  }
}

void SampleStore::read_labels(int64_t sample, bool mirrored, float* out) {
  assert(labels_ && sample >= 0 && sample < size());
  const int64_t channels = label_channels();
  std::vector<float> pooled;
  const float* values = patch_labels_.find(sample);
  if (!values) {
    const std::string& id = dataset_.samples()[static_cast<size_t>(sample)].id;
    const data::LabelMap map = labels_->map(id);
    if (map.channels != channels) {
      fail_input("labels of sample {} have {} channels, but their source says {}; label the split again",
                 id, map.channels, channels);
    }
    pooled.resize(static_cast<size_t>(grid_ * grid_ * channels));
    data::patch_labels(map, {}, static_cast<int>(grid_), pooled.data());
    patch_labels_.keep(sample, pooled.data());
    values = pooled.data();
  }
  // Patches stand symmetrically, so a mirrored image's labels are the columns in reverse.
  for (int64_t row = 0; row < grid_; ++row) {
    for (int64_t column = 0; column < grid_; ++column) {
      const int64_t source = mirrored ? grid_ - 1 - column : column;
      std::copy_n(values + (row * grid_ + source) * channels, channels,
                  out + (row * grid_ + column) * channels);
    }
  }
}

}  // namespace remixer::training
