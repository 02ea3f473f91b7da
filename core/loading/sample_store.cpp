// SPDX-License-Identifier: Apache-2.0
#include "core/loading/sample_store.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>
#include <new>

#include "base/error.h"
#include "core/augment/erasing.h"
#include "core/image/image_decode.h"
#include "core/image/image_files.h"

namespace remixer::training {

template <typename T>
void SampleStore::Records<T>::allow(int64_t records, int64_t record_length, int64_t memory_limit) {
  count = records;
  length = record_length;
  if (count * length * static_cast<int64_t>(sizeof(T)) > memory_limit) return;
  filled = std::make_unique<std::atomic<bool>[]>(static_cast<size_t>(count));
}

template <typename T>
const T* SampleStore::Records<T>::find(int64_t sample) const {
  if (!filled || !filled[sample].load(std::memory_order_acquire)) return nullptr;
  return values.get() + sample * length;
}

template <typename T>
void SampleStore::Records<T>::keep(int64_t sample, const T* record) {
  if (!filled) return;
  const std::lock_guard lock(mutex);
  // Pages are taken when they are first written. A system that promises no more than it has may
  // refuse so much at once.
  if (!values) values.reset(new (std::nothrow) T[static_cast<size_t>(count * length)]);
  if (!values || filled[sample].load(std::memory_order_relaxed)) return;
  std::copy_n(record, length, values.get() + sample * length);
  filled[sample].store(true, std::memory_order_release);
}

SampleStore::SampleStore(data::Dataset dataset, const data::LabelSource* labels, int64_t grid,
                         int64_t memory_limit, Reading reading)
    : dataset_(std::move(dataset)),
      labels_(labels),
      grid_(grid),
      reading_(std::move(reading)),
      normaliser_(
          reading_.normalisation ? reading_.normalisation->mean : dataset_.mean(),
          reading_.normalisation ? reading_.normalisation->deviation : dataset_.deviation()) {
  const int64_t stored = dataset_.image_size();
  if (image_size() == 0) reading_.augmentation.side = static_cast<int>(stored);
  assert(image_size() > 0);
  if (stored > 0) pixels_.allow(size(), stored * stored * 3, memory_limit);
  patch_labels_.allow(size(), grid_ * grid_ * label_channels(), memory_limit);
}

int64_t SampleStore::read(const Draw& draw, float* image, float* labels) {
  data::View view;
  const int64_t sample = read_readable(draw, image, view);
  if (labels) read_labels(sample, view, labels);
  return sample;
}

int64_t SampleStore::read(const Draw& draw, float* image, data::SparsePatchLabels& labels) {
  assert(has_top_k_labels());
  data::View view;
  const int64_t sample = read_readable(draw, image, view);
  data::patch_labels(map_of(sample), view, static_cast<int>(grid_), labels);
  return sample;
}

int64_t SampleStore::read_readable(const Draw& draw, float* image, data::View& view) {
  assert(draw.sample >= 0 && draw.sample < size());
  std::string last;
  int64_t tries = 0;
  for (int64_t step = 0; step < size() && tries < kMostUnreadable; ++step) {
    const int64_t sample = (draw.sample + step) % size();
    if (!may_replace(sample, draw.sample)) continue;
    try {
      view = read_image(sample, draw, image);
    } catch (const InputError& error) {
      if (reading_.strict) throw;
      report(sample, error.what());
      last = error.what();
      ++tries;
      continue;
    }
    // One-channel labels are saliency; erased areas have none, so `erased` is kept for them.
    if (reading_.augmentation.erased_classes_stay && label_channels() > 1) view.erased.reset();
    return sample;
  }
  fail_input("{} images of {} in a row cannot be read, the last one: {}", tries,
             dataset_.folder().string(), last);
}

bool SampleStore::may_replace(int64_t other, int64_t sample) const {
  const auto& held_out = reading_.held_out;
  return held_out.empty() ||
         held_out[static_cast<size_t>(other)] == held_out[static_cast<size_t>(sample)];
}

data::View SampleStore::read_image(int64_t sample, const Draw& draw, float* out) {
  const data::AugmentationSettings& settings = reading_.augmentation;
  const int stored = dataset_.image_size(), side = settings.side;
  const auto path = dataset_.image_path(dataset_.samples()[static_cast<size_t>(sample)]);
  const std::string name = path.string();
  data::Image decoded;
  std::string bytes;
  const uint8_t* pixels = nullptr;
  data::ImageSize size{stored, stored};
  if (stored > 0) {
    pixels = pixels_of(sample, decoded);
  } else {
    bytes = data::read_image_bytes(path);
    size = data::decode_size(bytes, name);
  }

  std::optional<Random> random = draw.random;
  data::Augmentation augmentation =
      random ? data::draw_augmentation(settings, size, draw.mirrored, *random)
             : data::plain_augmentation(settings, size);
  augmentation.mirrored = draw.mirrored;
  const data::View view = data::view_of(augmentation, size, side);

  // If mirroring is the last operation, it is done for free while normalising.
  bool mirrored = false;
  if (augmentation.operations.empty()) std::swap(mirrored, augmentation.mirrored);
  if (!pixels) {
    decoded = data::augment(augmentation, bytes, name);
  } else if (augmentation.resizing || !augmentation.operations.empty()) {
    data::Image whole(stored, stored);
    std::copy_n(pixels, whole.pixels.size(), whole.pixels.data());
    decoded = data::augment(augmentation, whole);
    pixels = nullptr;
  }
  normaliser_.write(pixels ? pixels : decoded.pixels.data(), side, side, mirrored, out);
  if (augmentation.erased) data::erase(*augmentation.erased, side, *random, out);
  return view;
}

const uint8_t* SampleStore::pixels_of(int64_t sample, data::Image& decoded) {
  if (const uint8_t* kept = pixels_.find(sample)) return kept;
  const int side = dataset_.image_size();
  const auto path = dataset_.image_path(dataset_.samples()[static_cast<size_t>(sample)]);
  decoded = data::read_image(path);
  if (decoded.width != side || decoded.height != side) {
    fail_input(
        "{}: the image is {} x {} pixels, but its dataset says {} x {}; build the dataset again",
        path.string(), decoded.width, decoded.height, side, side);
  }
  pixels_.keep(sample, decoded.pixels.data());
  return decoded.pixels.data();
}

data::LabelMap SampleStore::map_of(int64_t sample) const {
  const std::string& id = dataset_.samples()[static_cast<size_t>(sample)].id;
  data::LabelMap map = labels_->map(id);
  if (map.channels != label_channels()) {
    fail_input(
        "labels of sample {} have {} channels, but their source says {}; label the split again", id,
        map.channels, label_channels());
  }
  if ((map.top_k > 0) != labels_->names_top_k()) {
    fail_input("labels of sample {} are {} map, unlike their source's; label the split again", id,
               map.top_k > 0 ? "a top-k" : "a dense");
  }
  return map;
}

void SampleStore::read_labels(int64_t sample, const data::View& view, float* out) {
  const data::Region& region = view.region;
  const bool whole = region.left == 0 && region.top == 0 && region.right == 1 && region.bottom == 1;
  if (whole && view.warps.empty() && !view.erased) {
    read_whole_labels(sample, region.mirrored, out);
  } else {
    data::patch_labels(map_of(sample), view, static_cast<int>(grid_), out);
  }
}

void SampleStore::read_whole_labels(int64_t sample, bool mirrored, float* out) {
  const int64_t channels = label_channels();
  std::vector<float> pooled;
  const float* values = patch_labels_.find(sample);
  if (!values) {
    pooled.resize(static_cast<size_t>(grid_ * grid_ * channels));
    data::patch_labels(map_of(sample), data::Region{}, static_cast<int>(grid_), pooled.data());
    patch_labels_.keep(sample, pooled.data());
    values = pooled.data();
  }
  // Patches lie symmetrically, so a mirrored image's labels are the columns in reverse.
  for (int64_t row = 0; row < grid_; ++row) {
    for (int64_t column = 0; column < grid_; ++column) {
      const int64_t source = mirrored ? grid_ - 1 - column : column;
      std::copy_n(values + (row * grid_ + source) * channels, channels,
                  out + (row * grid_ + column) * channels);
    }
  }
}

void SampleStore::report(int64_t sample, const std::string& reason) {
  const std::lock_guard lock(unreadable_mutex_);
  if (!unreadable_.insert(sample).second) return;
  spdlog::warn("{}; the next image takes its place ({} of {} cannot be read so far)", reason,
               unreadable_.size(), size());
}

std::set<int64_t> SampleStore::unreadable() const {
  const std::lock_guard lock(unreadable_mutex_);
  return unreadable_;
}

}  // namespace remixer::training
