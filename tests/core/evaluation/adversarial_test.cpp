// SPDX-License-Identifier: Apache-2.0
#include "core/evaluation/adversarial.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "core/dataset/dataset_writer.h"
#include "core/image/image.h"
#include "core/kernels/operators.h"
#include "core/models/weights.h"
#include "tests/support/blotches.h"
#include "tests/support/program.h"

namespace remixer::evaluation {
namespace {

constexpr int kSize = 32, kForegrounds = 9, kBackgrounds = 11;

class AdversarialTest : public ::testing::TestWithParam<bool> {
 protected:
  AdversarialTest() : scratch_("adversarial") {
    at::set_num_threads(1);
    data::DatasetWriter writer(scratch_ / "data", {"a", "b", "c"}, kSize,
                               experiments::DatasetSpec{{"test"}});
    for (const char* folder : {"only_fg/val", "only_bg_t/val", "fg_mask/only_fg"})
      writer.add_folder(folder);
    std::vector<data::Sample> foregrounds, backgrounds;
    for (int i = 0; i < kForegrounds; ++i) {
      data::Sample sample;
      sample.id = fmt::format("only_fg/val/{}.png", i);
      sample.label = i % 3;
      sample.mask = fmt::format("fg_mask/only_fg/{}.png", i);
      images_.push_back(noise(100 + i));
      masks_.push_back(square(6 + i, 4 + i, 11));
      writer.add_file(sample.id, data::encode_png(images_.back()));
      writer.add_file(sample.mask, data::encode_png(masks_.back()));
      foregrounds.push_back(sample);
    }
    for (int i = 0; i < kBackgrounds; ++i) {
      data::Sample sample;
      sample.id = fmt::format("only_bg_t/val/{}.png", i);
      sample.label = i % 3;
      backgrounds.push_back(sample);
      behind_.push_back(noise(i));
      writer.add_file(backgrounds.back().id, data::encode_png(behind_.back()));
    }
    writer.add_split("only_fg", foregrounds);
    writer.add_split("only_bg_t", backgrounds);
    writer.publish({0.4, 0.5, 0.6}, {0.2, 0.25, 0.3});
  }

  static data::Image noise(uint64_t seed) { return testing::blotches(kSize, seed); }

  static data::GrayImage square(int left, int top, int side) {
    data::GrayImage mask(kSize, kSize);
    for (int y = top; y < top + side; ++y) {
      for (int x = left; x < left + side; ++x) mask.at(x, y) = 255;
    }
    return mask;
  }

  AdversarialJob job() {
    AdversarialJob job{.foregrounds = data::Dataset::open(scratch_ / "data", "only_fg"),
                       .backgrounds = data::Dataset::open(scratch_ / "data", "only_bg_t"),
                       .evaluated = {},
                       .weights = scratch_ / "model.safetensors",
                       .labeler = {},
                       .batch_size = 4,
                       .on_progress = {}};
    job.evaluated.model = {.architecture = "deit_nano_patch4_32",
                           .num_classes = 3,
                           .image_size = kSize,
                           .remixer = GetParam()};
    auto& settings = job.evaluated.settings;
    settings.classes = {"a", "b", "c"};
    settings.mean = {0.3f, 0.45f, 0.65f};  // the model's, not the data set's
    settings.deviation = {0.21f, 0.26f, 0.31f};
    settings.image_size = kSize;
    settings.distance = "l1";
    model_ = models::create_model(job.evaluated.model, 5);
    const at::NoGradGuard no_grad;
    for (const auto& [name, parameter] : model_->parameters()) {
      if (models::is_kappa(name)) parameter.fill_(0.7);
      if (name == "head.weight") parameter.mul_(40);
    }
    models::save_weights(*model_, job.weights);
    return job;
  }

  // The composite by hand, and the model's answer to it.
  int64_t answer(int foreground, int background) {
    at::Tensor image = at::zeros({1, 3, kSize, kSize}), share = at::zeros({1, 64, 1});
    constexpr double kMean[] = {0.3, 0.45, 0.65}, kDeviation[] = {0.21, 0.26, 0.31};
    for (int y = 0; y < kSize; ++y) {
      for (int x = 0; x < kSize; ++x) {
        const bool front = masks_[foreground].at(x, y) > 0;
        const data::Image& source = front ? images_[foreground] : behind_[background];
        for (int c = 0; c < 3; ++c)
          image[0][c][y][x] = (source.at(x, y)[c] / 255.0 - kMean[c]) / kDeviation[c];
        if (front) share[0][y / 4 * 8 + x / 4][0] += 1.0 / 16;
      }
    }
    const at::NoGradGuard no_grad;
    std::optional<at::Tensor> distance;
    if (GetParam()) distance = kernels::label_distance(share, "l1");
    return model_->forward(image, distance, {}).argmax(1).item<int64_t>();
  }

  remixer::testing::ScratchFolder scratch_;
  std::vector<data::Image> images_, behind_;
  std::vector<data::GrayImage> masks_;
  std::unique_ptr<models::Model> model_;
  training::SoloCommunicator solo_;
};

TEST_P(AdversarialTest, NamesTheFirstBackgroundThatFlips) {
  const AdversarialJob given = job();
  const AdversarialOutcome outcome = challenge(given, solo_);
  ASSERT_EQ(outcome.flipped_by.size(), static_cast<size_t>(kForegrounds));
  int unbroken = 0, late = 0;
  for (int i = 0; i < kForegrounds; ++i) {
    int64_t expected = -1;
    for (int b = 0; b < kBackgrounds && expected < 0; ++b) {
      if (answer(i, b) != i % 3) expected = b;
    }
    EXPECT_EQ(outcome.flipped_by[static_cast<size_t>(i)], expected) << i;
    unbroken += expected < 0;
    late += expected > 0;
  }
  EXPECT_DOUBLE_EQ(outcome.unbroken, 100.0 * unbroken / kForegrounds);
  EXPECT_GE(outcome.images, kForegrounds);
  EXPECT_GT(late + unbroken, 0) << "every foreground fails at once: the test shows nothing";
}

// Labels made of each composite are used in the mask's place, and the outcome says which they were.
TEST_P(AdversarialTest, ALabelersMapsAreUsedWhereThereIsOne) {
  AdversarialJob given = job();
  EXPECT_EQ(challenge(given, solo_).true_masks, GetParam());
  size_t asked = 0;
  given.labeler = [&](const std::vector<Composite>& composites) {
    asked += composites.size();
    std::vector<data::LabelMap> maps;
    for (const Composite& composite : composites) {
      EXPECT_NE(composite.sample.id.find(" before only_bg_t/val/"), std::string::npos);
      data::LabelMap map;
      map.height = map.width = kSize;
      for (const uint8_t pixel : composite.mask.pixels) map.values.push_back(pixel > 0 ? 1 : 0);
      maps.push_back(std::move(map));
    }
    return maps;
  };
  const AdversarialOutcome by_labeler = challenge(given, solo_);
  EXPECT_EQ(asked > 0, GetParam());
  EXPECT_FALSE(by_labeler.true_masks);
  given.labeler = nullptr;
  EXPECT_EQ(by_labeler.flipped_by, challenge(given, solo_).flipped_by);
}

TEST_P(AdversarialTest, AForegroundWithoutAMaskIsNamed) {
  AdversarialJob given = job();
  given.foregrounds = given.backgrounds;
  EXPECT_THROW(challenge(given, solo_), InputError);
}

INSTANTIATE_TEST_SUITE_P(Models, AdversarialTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "ReMixer" : "Plain"; });

}  // namespace
}  // namespace remixer::evaluation
