// SPDX-License-Identifier: Apache-2.0
#include "core/explain/saliency.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/linspace.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/dataset/dataset_writer.h"
#include "core/explain/caption.h"
#include "core/explain/saliency_picture.h"
#include "core/image/image.h"
#include "core/models/model.h"
#include "tests/support/temporary_folder.h"

namespace remixer::explain {
namespace {

using ::testing::HasSubstr;

class SaliencyTest : public ::testing::Test {
 protected:
  // Of `count` images, in the order of their classes, as data sets are.
  data::Dataset write(int count) {
    const auto folder = folder_.path() / fmt::format("data{}", count);
    data::DatasetWriter writer(folder, {"cat", "dog", "elk", "fox"}, 32,
                               experiments::DatasetSpec{{"test"}});
    writer.add_folder("original/val");
    std::vector<data::Sample> samples;
    for (int i = 0; i < count; ++i) {
      data::Image image(32, 32);
      for (size_t k = 0; k < image.pixels.size(); ++k)
        image.pixels[k] = static_cast<uint8_t>(k * 7 + static_cast<size_t>(i) * 13);
      data::Sample sample;
      sample.id = fmt::format("original/val/{:03}.png", i);
      sample.label = i * 4 / count;
      writer.add_file(sample.id, data::encode_png(image));
      samples.push_back(sample);
    }
    writer.add_split("original", samples);
    writer.publish({0.5, 0.5, 0.5}, {0.2, 0.2, 0.2});
    return data::Dataset::open(folder, "original");
  }

  // A Mixer's head starts at zero, where no patch is relevant.
  static void give_head(const models::Model& model) {
    const at::NoGradGuard no_grad;
    for (const auto& [name, tensor] : model.parameters()) {
      if (name == "head.weight")
        tensor.copy_(at::linspace(-1, 1, tensor.numel()).sin_().view_as(tensor));
    }
  }

  // Of a model trained on the set.
  static evaluation::EvaluationSettings settings(const data::Dataset& dataset) {
    evaluation::EvaluationSettings settings;
    settings.classes = dataset.classes();
    settings.mean = dataset.mean();
    settings.deviation = dataset.deviation();
    settings.image_size = 32;
    settings.distance = "l1";
    return settings;
  }

  TemporaryFolder folder_;
};

TEST_F(SaliencyTest, ImagesAreDrawnFromTheSeedAndDoNotFollowTheClasses) {
  const data::Dataset dataset = write(80);
  const experiments::SaliencyImages eight{.count = 8, .seed = 5};
  const auto chosen = choose_images(eight, dataset);
  EXPECT_EQ(chosen, choose_images(eight, dataset));
  EXPECT_NE(chosen, choose_images({.count = 8, .seed = 6}, dataset));
  ASSERT_EQ(chosen.size(), 8u);
  std::set<int64_t> steps;
  for (size_t i = 1; i < chosen.size(); ++i) steps.insert(chosen[i] - chosen[i - 1]);
  EXPECT_GT(steps.size(), 2u) << "every n-th image";
  EXPECT_GT(*steps.begin(), 0);
  EXPECT_EQ(choose_images({.count = 60, .seed = 1}, write(12)).size(), 12u);
}

TEST_F(SaliencyTest, NamedImagesKeepTheirOrder) {
  const data::Dataset dataset = write(12);
  const experiments::SaliencyImages names{
      .names = {"original/val/007.png", "original/val/002.png"}};
  EXPECT_EQ(choose_images(names, dataset), (std::vector<int64_t>{7, 2}));
  EXPECT_THAT(
      data::input_error([&] { choose_images({.names = {"original/val/099.png"}}, dataset); }),
      HasSubstr("no sample 'original/val/099.png'"));
}

TEST_F(SaliencyTest, TheFileHoldsWhatTheModelSawAndSaid) {
  const data::Dataset dataset = write(12);
  const auto like = settings(dataset);
  for (const auto& [architecture, method] :
       {std::pair{"deit_nano_patch4_32", "chefer"}, {"mixer_nano_patch4_32", "grad_cam"}}) {
    auto model =
        models::create_model({.architecture = architecture, .num_classes = 4, .image_size = 32}, 1);
    give_head(*model);
    const SaliencyJob job{.dataset = dataset, .settings = like};
    const SaliencyFile file = draw_saliency(*model, job, {3, 9});
    EXPECT_EQ(file.method, method);
    EXPECT_EQ(file.explained, "label");
    EXPECT_EQ(file.classes, (std::vector<std::string>{"dog", "fox"}));
    EXPECT_EQ(file.side, 32);
    EXPECT_EQ(file.maps.size(), 2u * 8 * 8);
    EXPECT_GT(*std::max_element(file.maps.begin(), file.maps.end()), 0);
    EXPECT_EQ(file.images.size(), 2u * 32 * 32 * 3);
    const data::Image whole = data::read_image(dataset.image_path(dataset.samples()[9]));
    EXPECT_EQ(image_of(file, 1), whole);
    write_saliency(folder_.path() / "maps", file);
    const SaliencyFile back = read_saliency(folder_.path() / "maps");
    EXPECT_EQ(back.maps, file.maps);
    EXPECT_EQ(back.images, file.images);
    EXPECT_EQ(back.answers, file.answers);
    EXPECT_EQ(back.right, file.right);
  }
}

// Images are seen as the model's settings say, and its classes are the set's by name.
TEST_F(SaliencyTest, TheSettingsSayHowTheModelSees) {
  const data::Dataset dataset = write(12);
  auto model = models::create_model(
      {.architecture = "deit_nano_patch4_32", .num_classes = 4, .image_size = 32}, 1);
  const auto draw = [&](const evaluation::EvaluationSettings& with, SaliencyJob::Logit logit = {}) {
    const SaliencyJob job{.dataset = dataset, .settings = with, .logit = logit};
    return draw_saliency(*model, job, {3, 9});
  };
  const auto like = settings(dataset);
  const SaliencyFile own = draw(like);
  auto normalised = like;
  normalised.mean = {0.1f, 0.7f, 0.4f};
  normalised.deviation = {0.4f, 0.3f, 0.1f};
  const SaliencyFile other = draw(normalised);
  EXPECT_NE(other.maps, own.maps);
  EXPECT_EQ(other.images, own.images) << "shown as they were, not as they are normalised";
  // The label's logit is found by its name.
  auto turned = like;
  turned.classes = {"fox", "cat", "dog", "elk"};
  const SaliencyFile by_name = draw(turned);
  EXPECT_EQ(by_name.explained, "label");
  EXPECT_NE(by_name.maps, own.maps);
  EXPECT_NE(by_name.answers, own.answers);
  // What answers can be explained of a model whose classes are none of the set's.
  auto foreign = like;
  foreign.classes = {"a", "b", "c", "d"};
  EXPECT_THAT(data::input_error([&] { draw(foreign); }), HasSubstr("by name"));
  const SaliencyFile answered = draw(foreign, SaliencyJob::Logit::kAnswer);
  EXPECT_EQ(answered.explained, "answer");
  EXPECT_EQ(answered.right, (std::vector<uint8_t>{0, 0}));
  EXPECT_THAT(foreign.classes, ::testing::Contains(answered.answers[0]));
}

TEST_F(SaliencyTest, ARemixerModelNeedsLabels) {
  const data::Dataset dataset = write(12);
  auto model = models::create_model(
      {.architecture = "deit_nano_patch4_32", .num_classes = 4, .image_size = 32, .remixer = true},
      1);
  const auto like = settings(dataset);
  const SaliencyJob job{.dataset = dataset, .settings = like};
  EXPECT_THAT(data::input_error([&] { draw_saliency(*model, job, {0}); }),
              HasSubstr("needs patch labels of original"));
}

SaliencyFile file_of(const std::vector<std::string>& samples) {
  SaliencyFile file;
  file.samples = file.classes = file.answers = samples;
  file.side = 8;
  file.grid = 2;
  const size_t n = samples.size();
  file.right.assign(n, 1);
  file.images.assign(n * 8 * 8 * 3, 90);
  for (size_t i = 0; i < n; ++i) file.maps.insert(file.maps.end(), {0, 1, 2, 3});
  return file;
}

TEST(SaliencyPicture, HasAColumnForEachModelAndForItsLabels) {
  SaliencyFile masked = file_of({"a", "b"});
  masked.patch_values.assign(8, 0.5f);
  const data::Image two = saliency_picture({{"plain", file_of({"a", "b"})}, {"masked", masked}});
  const data::Image one = saliency_picture({{"plain", file_of({"a", "b"})}});
  // Cells of 192 pixels with gaps of 6: original, plain, masked, labels.
  EXPECT_EQ(one.width, 2 * 192 + 6);
  EXPECT_EQ(two.width, 4 * 192 + 3 * 6);
  EXPECT_EQ(two.height, one.height);
  masked.patch_classes = {1, 1, 7, 7, 0, 0, 0, 0};
  EXPECT_NE(saliency_picture({{"plain", file_of({"a", "b"})}, {"masked", masked}}), two);
}

TEST(SaliencyPicture, MapsOfOtherImagesAreRefused) {
  EXPECT_THAT(data::input_error([] {
                saliency_picture({{"plain", file_of({"a"})}, {"masked", file_of({"b"})}});
              }),
              HasSubstr("different images"));
}

TEST(Caption, FitsItsStrip) {
  const data::Image strip =
      caption("a name that is far too long for a strip of this width", 80, 24);
  EXPECT_EQ(strip.width, 80);
  int dark = 0;
  for (int y = 0; y < 24; ++y) dark += strip.at(0, y)[0] < 128 || strip.at(79, y)[0] < 128;
  EXPECT_EQ(dark, 0) << "text reaches the edge";
  EXPECT_NE(strip, caption("", 80, 24));
}

}  // namespace
}  // namespace remixer::explain
