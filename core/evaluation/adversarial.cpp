#include "core/evaluation/adversarial.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "core/evaluation/truth.h"
#include "core/image/image.h"
#include "core/kernels/operators.h"
#include "core/models/weights.h"

namespace remixer::evaluation {
namespace {

class Challenge {
 public:
  explicit Challenge(const AdversarialJob& job)
      : job_(job),
        size_(job.foregrounds.image_size()),
        reading_(class_reading(job.model.num_classes, job.foregrounds)),
        model_(models::create_model_to_load(job.model)) {
    if (size_ == 0) {
      fail_input(
          "{}: foregrounds are put before backgrounds of one size; this dataset's images "
          "have many",
          job.foregrounds.folder().string());
    }
    if (job.foregrounds.samples().empty() || job.backgrounds.samples().empty()) {
      fail_input("{}: there are no foregrounds, or no backgrounds",
                 job.foregrounds.folder().string());
    }
    models::load_weights(*model_, job.weights);
    for (const data::Sample& sample : job.backgrounds.samples()) {
      backgrounds_.push_back(read(job.backgrounds.image_path(sample)));
    }
  }

  // The first background that flips the foreground, or -1; counts images into `looked_at`.
  int64_t flipped_by(int64_t number, int64_t& looked_at) {
    const data::Sample& sample = job_.foregrounds.samples()[static_cast<size_t>(number)];
    if (sample.mask.empty()) {
      fail_input("{}: sample {} has no mask", job_.foregrounds.folder().string(), sample.id);
    }
    const data::Image foreground = read(job_.foregrounds.image_path(sample));
    const data::GrayImage mask = data::read_gray(job_.foregrounds.mask_path(sample));
    if (mask.width != size_ || mask.height != size_) {
      fail_input("{}: the mask has {} × {} pixels, the dataset's images {} × {}",
                 job_.foregrounds.mask_path(sample).string(), mask.width, mask.height, size_,
                 size_);
    }
    const auto count = static_cast<int64_t>(backgrounds_.size());
    for (int64_t first = 0; first < count; first += job_.batch_size) {
      const int64_t end = std::min(count, first + job_.batch_size);
      looked_at += end - first;
      const at::Tensor answers = answer(foreground, mask, first, end);
      for (int64_t i = 0; i < end - first; ++i) {
        if (reading_[static_cast<size_t>(answers[i].item<int64_t>())] != sample.label)
          return first + i;
      }
    }
    return -1;
  }

 private:
  data::Image read(const std::filesystem::path& path) const {
    data::Image image = data::read_image(path);
    if (image.width != size_ || image.height != size_) {
      fail_input("{}: has {} × {} pixels, the dataset's images {} × {}", path.string(), image.width,
                 image.height, size_, size_);
    }
    return image;
  }

  at::Tensor answer(const data::Image& foreground, const data::GrayImage& mask, int64_t first,
                    int64_t end) {
    const at::NoGradGuard no_grad;
    const int64_t pixels = int64_t{size_} * size_;
    at::Tensor images = at::empty({end - first, 3, size_, size_});
    float* out = images.mutable_data_ptr<float>();
    for (int64_t b = first; b < end; ++b) {
      const data::Image& background = backgrounds_[static_cast<size_t>(b)];
      for (int c = 0; c < 3; ++c) {
        const float mean = job_.foregrounds.mean()[c], deviation = job_.foregrounds.deviation()[c];
        for (int64_t i = 0; i < pixels; ++i) {
          const data::Image& source =
              mask.pixels[static_cast<size_t>(i)] > 127 ? foreground : background;
          *out++ =
              (static_cast<float>(source.pixels[static_cast<size_t>(3 * i + c)]) / 255 - mean) /
              deviation;
        }
      }
    }
    std::optional<at::Tensor> distance;
    if (job_.model.remixer) {
      distance = kernels::label_distance(coverage(mask), job_.distance)
                     .expand({end - first, -1, -1})
                     .contiguous();
    }
    return model_->forward(images, distance, {}).argmax(1);
  }

  // [1, N, 1]: the share of each patch that the mask covers.
  at::Tensor coverage(const data::GrayImage& mask) const {
    const int64_t grid = model_->grid(), patch = size_ / grid;
    at::Tensor share = at::empty({1, grid * grid, 1});
    float* out = share.mutable_data_ptr<float>();
    for (int64_t row = 0; row < grid; ++row) {
      for (int64_t column = 0; column < grid; ++column) {
        int64_t covered = 0;
        for (int64_t y = row * patch; y < (row + 1) * patch; ++y) {
          for (int64_t x = column * patch; x < (column + 1) * patch; ++x) {
            covered += mask.at(static_cast<int>(x), static_cast<int>(y)) > 127;
          }
        }
        *out++ = static_cast<float>(covered) / static_cast<float>(patch * patch);
      }
    }
    return share;
  }

  const AdversarialJob& job_;
  int size_;
  std::vector<int32_t> reading_;
  std::unique_ptr<models::Model> model_;
  std::vector<data::Image> backgrounds_;
};

}  // namespace

AdversarialOutcome challenge(const AdversarialJob& job, training::Communicator& communicator) {
  Challenge challenge(job);
  const auto count = static_cast<int64_t>(job.foregrounds.samples().size());
  const int64_t ranks = communicator.size();
  // This rank's part: flipped_by of its foregrounds, then the images that it looked at.
  std::vector<int64_t> mine(static_cast<size_t>(count + 1), 0);
  for (int64_t i = communicator.rank(); i < count; i += ranks) {
    mine[static_cast<size_t>(i)] = challenge.flipped_by(i, mine.back());
    if (communicator.rank() == 0 && job.on_progress)
      job.on_progress(std::min(count, i + ranks), count);
  }
  const size_t bytes = mine.size() * sizeof(int64_t);
  const auto pieces =
      communicator.all_gather(std::string(reinterpret_cast<const char*>(mine.data()), bytes));

  AdversarialOutcome outcome;
  int64_t unbroken = 0;
  for (int64_t i = 0; i < count; ++i) {
    int64_t flipped = 0;
    std::memcpy(&flipped, pieces[static_cast<size_t>(i % ranks)].data() + i * sizeof(int64_t),
                sizeof flipped);
    outcome.flipped_by.push_back(flipped);
    unbroken += flipped < 0;
  }
  for (const std::string& piece : pieces) {
    int64_t images = 0;
    std::memcpy(&images, piece.data() + count * sizeof(int64_t), sizeof images);
    outcome.images += images;
  }
  outcome.unbroken = 100.0 * static_cast<double>(unbroken) / static_cast<double>(count);
  return outcome;
}

}  // namespace remixer::evaluation
