// A split's decoded images and patch labels, kept in memory where they fit.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/data/dataset.h"
#include "core/data/label_map.h"

namespace remixer::training {

// Thread-safe. An image is decoded the first time it is asked for; where the whole decoded split
// (and, apart from it, the split's patch labels) is larger than the limit, every time.
class SampleStore {
 public:
  static constexpr int64_t kMemoryLimit = int64_t{1} << 30;  // bytes, of the images and of the labels

  // `labels` may be null; `grid` is the number of patches along one side. The dataset is copied, the
  // label source must outlive the store.
  SampleStore(data::Dataset dataset, const data::LabelSource* labels, int64_t grid,
              int64_t memory_limit = kMemoryLimit);

  const data::Dataset& dataset() const { return dataset_; }
  int64_t size() const { return static_cast<int64_t>(dataset_.samples().size()); }
  int64_t image_size() const { return dataset_.image_size(); }
  int64_t grid() const { return grid_; }
  bool has_labels() const { return labels_ != nullptr; }
  int64_t label_channels() const { return labels_ ? labels_->channels() : 0; }

  // Writes the sample's image to out[3][S][S], normalised by the dataset's channel statistics.
  // Throws InputError naming the file where it cannot be read or is not S × S.
  void read_image(int64_t sample, bool mirrored, float* out);
  // Writes the sample's patch labels to out[grid²][K]. Throws InputError naming the sample where it
  // has no label map, or one of another number of channels.
  void read_labels(int64_t sample, bool mirrored, float* out);

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

  data::Dataset dataset_;
  const data::LabelSource* labels_;
  int64_t grid_;
  std::vector<float> normalised_;  // [3][256]
  Records<uint8_t> pixels_;
  Records<float> patch_labels_;
};

}  // namespace remixer::training
