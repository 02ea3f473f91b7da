// SPDX-License-Identifier: Apache-2.0
// A split's images and patch labels, read, augmented and normalised; kept in memory where they fit.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "core/augment/augmentation.h"
#include "core/augment/normalise.h"
#include "core/augment/patch_labels.h"
#include "core/dataset/dataset.h"

namespace remixer::training {

// One sample as it is to be read.
struct Draw {
  int64_t sample = 0;  // number in the split
  bool mirrored = false;
  // What its crop, RandAugment and erasing are drawn from; none: the image as evaluation sees it.
  std::optional<Random> random = std::nullopt;
};

// Channel statistics of pixels scaled to [0, 1].
struct Normalisation {
  std::array<float, 3> mean{}, deviation{};
};

// How images are read. The defaults take a dataset of one size as it is.
struct Reading {
  data::AugmentationSettings augmentation;  // side 0: the dataset's own size
  // An image that cannot be read is an error; else the split's next one takes its place.
  bool strict = true;
  // By sample, whether it is held out: its place is taken by another such one, and by none else.
  // Empty: nothing is held out.
  std::vector<bool> held_out = {};
  // What pixels are normalised by; none: the dataset's own statistics.
  std::optional<Normalisation> normalisation = {};
};

// Thread-safe. Where all images have one size, a decoded image is kept from the first time that it
// is asked for, unless the whole split would be larger than the limit; so are, apart from it, the
// patch labels of whole images. Images of many sizes are decoded every time.
class SampleStore {
 public:
  static constexpr int64_t kMemoryLimit = int64_t{1}
                                          << 30;  // bytes, of the images and of the labels

  // `labels` may be null; `grid` is the number of patches along one side. The dataset is copied,
  // the label source must outlive the store.
  SampleStore(data::Dataset dataset, const data::LabelSource* labels, int64_t grid,
              int64_t memory_limit = kMemoryLimit, Reading reading = {});

  const data::Dataset& dataset() const { return dataset_; }
  int64_t size() const { return static_cast<int64_t>(dataset_.samples().size()); }
  int64_t image_size() const { return reading_.augmentation.side; }  // of what read() writes
  int64_t grid() const { return grid_; }
  bool has_labels() const { return labels_ != nullptr; }
  int64_t label_channels() const { return labels_ ? labels_->channels() : 0; }

  // Writes the drawn sample's image to image[3][S][S], normalised, and its patch labels, moved
  // along with it, to labels[grid²][K] (null without a label source). Returns the sample that it
  // read: the drawn one, or, where that cannot be read and reading is not strict, the first one
  // after it in the split that can and is held out as it is, or not; it is named in the log the
  // first time. Throws InputError naming the file where it cannot be read or has another size than
  // its dataset says, and where kMostUnreadable in a row are so; InputError naming the sample where
  // it has no label map, or one of another number of channels.
  int64_t read(const Draw& draw, float* image, float* labels);
  static constexpr int64_t kMostUnreadable = 100;

  // The images that could not be read so far.
  std::set<int64_t> unreadable() const;

 private:
  // Equal-sized records filled in on first use; readers of a filled record take no lock.
  template <typename T>
  struct Records {
    int64_t length = 0;                           // elements a record
    std::unique_ptr<T[]> values;                  // null: nothing is kept
    std::unique_ptr<std::atomic<bool>[]> filled;  // by sample
    std::mutex mutex;

    void reserve(int64_t count, int64_t record_length, int64_t memory_limit);
    const T* find(int64_t sample) const;
    void keep(int64_t sample, const T* record);
  };

  // Returns how the image shows its source.
  data::View read_image(int64_t sample, const Draw& draw, float* out);
  // An image of the dataset's one size: from memory, or read into `decoded`.
  const uint8_t* pixels_of(int64_t sample, data::Image& decoded);
  void read_labels(int64_t sample, const data::View& view, float* out);
  void read_whole_labels(int64_t sample, bool mirrored, float* out);
  data::LabelMap map_of(int64_t sample) const;
  bool may_replace(int64_t other, int64_t sample) const;
  void report(int64_t sample, const std::string& reason);

  data::Dataset dataset_;
  const data::LabelSource* labels_;
  int64_t grid_;
  Reading reading_;
  data::Normaliser normaliser_;
  Records<uint8_t> pixels_;
  Records<float> patch_labels_;
  mutable std::mutex unreadable_mutex_;
  std::set<int64_t> unreadable_;
};

}  // namespace remixer::training
