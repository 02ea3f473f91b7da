// SPDX-License-Identifier: Apache-2.0
// A split's images and patch labels: read, augmented, normalised, and cached in memory if they fit.
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
#include "core/loading/memory_at_hand.h"

namespace remixer::training {

// How to read one sample.
struct Draw {
  int64_t sample = 0;  // number in the split
  bool mirrored = false;
  // Source of its crop, RandAugment and erasing; none: the image as in evaluation.
  std::optional<Random> random = std::nullopt;
};

// Channel statistics of pixels scaled to [0, 1].
struct Normalisation {
  std::array<float, 3> mean{}, deviation{};
};

// How images are read. The defaults take a dataset of one size as it is.
struct Reading {
  data::AugmentationSettings augmentation;  // side 0: the dataset's own size
  // True: an unreadable image is an error. False: the next image of the split replaces it.
  bool strict = true;
  // By sample, whether it is held out. Held-out samples are only replaced by held-out ones, and the
  // others only by others. Empty: nothing is held out.
  std::vector<bool> held_out = {};
  // Statistics to normalise pixels with; none: the dataset's own.
  std::optional<Normalisation> normalisation = {};
};

// Thread-safe. If all images have one size, decoded images are cached on first use, unless the
// whole split would exceed the limit or the system refuses so much memory. Patch labels of whole
// images are cached likewise, under a separate limit, unless they are read in compact form. Images
// of varying sizes are decoded every time.
class SampleStore {
 public:
  static constexpr int64_t kMemoryLimit = kUsualCacheBytes;  // for images and for labels separately

  // `labels` may be null; `grid` is the number of patches along one side. The dataset is copied;
  // the label source must outlive the store.
  SampleStore(data::Dataset dataset, const data::LabelSource* labels, int64_t grid,
              int64_t memory_limit = kMemoryLimit, Reading reading = {});

  const data::Dataset& dataset() const { return dataset_; }
  int64_t size() const { return static_cast<int64_t>(dataset_.samples().size()); }
  int64_t image_size() const { return reading_.augmentation.side; }  // of what read() writes
  int64_t grid() const { return grid_; }
  bool has_labels() const { return labels_ != nullptr; }
  int64_t label_channels() const { return labels_ ? labels_->channels() : 0; }
  // Whether decoded images are cached.
  bool keeps_images() const { return pixels_.filled != nullptr; }
  // Whether its label maps are top-k maps.
  bool has_top_k_labels() const { return labels_ && labels_->names_top_k(); }

  // Writes the drawn sample's normalised image to image[3][S][S], and its patch labels, with the
  // same geometry, to labels[grid²][K] (null without a label source). Returns the sample that was
  // read: the drawn one, or, if that is unreadable and reading is not strict, the next readable one
  // in the split with the same held-out flag; the unreadable one is logged the first time. Throws
  // InputError naming the file if it cannot be read or its size differs from the dataset's, or if
  // kMostUnreadable in a row fail; InputError naming the sample if it has no label map, one with
  // another number of channels, or a dense one among top-k maps.
  int64_t read(const Draw& draw, float* image, float* labels);
  // Same, with the labels appended in compact form; only if has_top_k_labels().
  int64_t read(const Draw& draw, float* image, data::SparsePatchLabels& labels);
  static constexpr int64_t kMostUnreadable = 100;

  // The images that could not be read so far.
  std::set<int64_t> unreadable() const;

 private:
  // Equal-sized records filled in on first use; readers of a filled record take no lock.
  template <typename T>
  struct Records {
    int64_t count = 0, length = 0;                // records, and elements of each
    std::unique_ptr<std::atomic<bool>[]> filled;  // by sample; null: nothing is kept
    std::unique_ptr<T[]> values;                  // null before the first record
    std::mutex mutex;

    // Nothing is kept if all records take more than the limit.
    void allow(int64_t records, int64_t record_length, int64_t memory_limit);
    const T* find(int64_t sample) const;
    void keep(int64_t sample, const T* record);
  };

  // Reads the drawn image, or the one that replaces it. Returns its number, and in `view` how the
  // labels are to show the source image.
  int64_t read_readable(const Draw& draw, float* image, data::View& view);
  // Returns how the result shows the source image.
  data::View read_image(int64_t sample, const Draw& draw, float* out);
  // Pixels of an image of the dataset's one size: cached, or read into `decoded`.
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
