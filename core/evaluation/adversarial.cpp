// SPDX-License-Identifier: Apache-2.0
#include "core/evaluation/adversarial.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "core/augment/augmentation.h"
#include "core/augment/normalise.h"
#include "core/evaluation/evaluator.h"
#include "core/image/image.h"
#include "core/kernels/operators.h"
#include "core/models/weights.h"
#include "core/training/precision.h"
#include "core/training/token_labeling.h"

namespace remixer::evaluation {
namespace {

class Challenge {
 public:
  Challenge(const AdversarialJob& job, at::Device device)
      : job_(job),
        size_(job.foregrounds.image_size()),
        device_(device),
        settings_(evaluation_reading(job.evaluated.settings).augmentation),
        normaliser_(job.evaluated.settings.mean, job.evaluated.settings.deviation),
        reading_(class_reading(job.evaluated.settings.classes, job.foregrounds)),
        model_(models::create_model_to_load(job.evaluated.model)) {
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
    models::move_to(*model_, device);
    for (const data::Sample& sample : job.backgrounds.samples()) {
      backgrounds_.push_back(read(job.backgrounds.image_path(sample)));
    }
  }

  // The first background that flips the foreground, or -1; adds the images tried to `looked_at`.
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
      std::vector<Composite> composites;
      for (int64_t i = first; i < end; ++i) {
        composites.push_back(compose(sample, foreground, mask, static_cast<size_t>(i)));
      }
      const at::Tensor answers = answer(composites);
      for (int64_t i = 0; i < end - first; ++i) {
        const int64_t answered = answers.const_data_ptr<int64_t>()[i];
        if (reading_[static_cast<size_t>(answered)] != sample.label) return first + i;
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

  Composite compose(const data::Sample& sample, const data::Image& foreground,
                    const data::GrayImage& mask, size_t background) const {
    Composite composite{sample, backgrounds_[background], mask};
    composite.sample.id += " before " + job_.backgrounds.samples()[background].id;
    for (size_t i = 0; i < mask.pixels.size(); ++i) {
      if (mask.pixels[i] <= 127) continue;
      std::copy_n(&foreground.pixels[3 * i], 3, &composite.image.pixels[3 * i]);
    }
    return composite;
  }

  // The model's predictions [B], int64, on the CPU.
  at::Tensor answer(const std::vector<Composite>& composites) {
    const at::NoGradGuard no_grad;
    const auto count = static_cast<int64_t>(composites.size());
    const data::ImageSize size{size_, size_};
    const data::Augmentation seen = data::plain_augmentation(settings_, size);
    at::Tensor images = at::empty({count, 3, settings_.side, settings_.side});
    float* out = images.mutable_data_ptr<float>();
    for (const Composite& composite : composites) {
      const data::Image image = data::augment(seen, composite.image);
      normaliser_.write(image.pixels.data(), image.width, image.height, /*mirrored=*/false, out);
      out += 3 * settings_.side * settings_.side;
    }
    images = images.to(device_);
    std::optional<at::Tensor> distance;
    if (job_.evaluated.model.remixer) {
      const at::Tensor labels = patch_labels(composites, data::view_of(seen, size, settings_.side));
      distance = kernels::label_distance(labels.to(device_), job_.evaluated.settings.distance);
    }
    const at::Tensor logits =
        job_.evaluated.settings.token_vote
            ? training::with_token_vote(model_->forward_with_tokens(images, distance, {}))
            : model_->forward(images, distance, {});
    return logits.argmax(1).cpu().contiguous();
  }

  // [B, N, K]. All composites of a foreground share their true mask.
  at::Tensor patch_labels(const std::vector<Composite>& composites, const data::View& view) const {
    std::vector<data::LabelMap> maps;
    if (job_.labeler) {
      maps = job_.labeler(composites);
    } else {
      data::LabelMap map;
      map.height = map.width = size_;
      for (const uint8_t pixel : composites.front().mask.pixels) {
        map.values.push_back(pixel > 127 ? 1.0f : 0.0f);
      }
      maps.push_back(std::move(map));
    }
    const auto grid = static_cast<int>(model_->grid());
    at::Tensor labels =
        at::empty({static_cast<int64_t>(maps.size()), int64_t{grid} * grid, maps.front().channels});
    float* out = labels.mutable_data_ptr<float>();
    for (const data::LabelMap& map : maps) {
      data::patch_labels(map, view, grid, out);
      out += grid * grid * map.channels;
    }
    return maps.size() == composites.size()
               ? labels
               : labels.expand({static_cast<int64_t>(composites.size()), -1, -1}).contiguous();
  }

  const AdversarialJob& job_;
  int size_;
  at::Device device_;
  data::AugmentationSettings settings_;
  data::Normaliser normaliser_;
  std::vector<int32_t> reading_;
  std::unique_ptr<models::Model> model_;
  std::vector<data::Image> backgrounds_;
};

}  // namespace

AdversarialOutcome challenge(const AdversarialJob& job, training::Communicator& communicator) {
  training::set_arithmetic("fp32", communicator.device());
  Challenge challenge(job, communicator.device());
  const auto count = static_cast<int64_t>(job.foregrounds.samples().size());
  const int64_t ranks = communicator.size();
  // This rank's part: flipped_by of its foregrounds, then the number of images it tried.
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
  outcome.true_masks = job.evaluated.model.remixer && !job.labeler;
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
