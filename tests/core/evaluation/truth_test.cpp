// SPDX-License-Identifier: Apache-2.0
#include "core/evaluation/truth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/accuracy.h"
#include "base/error.h"
#include "base/file.h"
#include "base/predictions_file.h"
#include "core/dataset/dataset_writer.h"
#include "core/dataset/imagenet_classes.h"
#include "core/evaluation/settings.h"
#include "core/image/image.h"
#include "tests/support/program.h"

namespace remixer::evaluation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TruthTest : public ::testing::Test {
 protected:
  TruthTest() : scratch_("answers") {}

  data::Dataset write(const std::vector<std::string>& classes, std::vector<data::Sample> samples) {
    const auto folder = scratch_ / "data";
    std::filesystem::remove_all(folder);
    data::DatasetWriter writer(folder, classes, 8, experiments::DatasetSpec{{"test"}});
    const std::string image = data::encode_png(data::Image(8, 8));
    writer.add_folder("original/val");
    for (size_t i = 0; i < samples.size(); ++i) {
      samples[i].id = fmt::format("original/val/{:03}.png", i);
      writer.add_file(samples[i].id, image);
    }
    writer.add_split("original", samples);
    writer.publish({0.5, 0.5, 0.5}, {0.2, 0.2, 0.2});
    return data::Dataset::open(folder, "original");
  }

  static data::Sample of(int label, std::vector<int> more_labels = {},
                         std::string foreground = "") {
    data::Sample sample;
    sample.label = label;
    sample.more_labels = std::move(more_labels);
    sample.foreground = std::move(foreground);
    return sample;
  }

  // A model that is sure of one class an image; the others follow in the order of their numbers.
  static Predictions sure(int64_t classes, const std::vector<int>& of) {
    Predictions answers(classes, static_cast<int64_t>(of.size()));
    for (size_t i = 0; i < of.size(); ++i) {
      std::vector<float> logits(static_cast<size_t>(classes));
      for (int64_t c = 0; c < classes; ++c) logits[static_cast<size_t>(c)] = -static_cast<float>(c);
      logits[static_cast<size_t>(of[i])] = 5;
      answers.set(static_cast<int64_t>(i), logits);
    }
    return answers;
  }

  static std::vector<std::string> imagenet() {
    std::vector<std::string> names;
    for (const auto& entry : data::imagenet_classes()) names.emplace_back(entry.wordnet_id);
    return names;
  }

  remixer::testing::ScratchFolder scratch_;
};

TEST_F(TruthTest, KeepTheLikeliestClassesInOrder) {
  Predictions answers(4, 1);
  answers.set(0, std::vector<float>{1, 3, 3, -2});
  EXPECT_THAT(std::vector<uint16_t>(answers.likely(0).begin(), answers.likely(0).end()),
              ElementsAre(1, 2, 0, 3));
  EXPECT_FLOAT_EQ(answers.normalizer[0],
                  std::log(std::exp(1.0) + 2 * std::exp(3.0) + std::exp(-2.0)));
  Predictions many(1000, 2);
  EXPECT_EQ(many.kept, 10);
  std::vector<float> logits(1000, 500);  // far beyond what exp can hold
  logits[999] = 501;
  many.set(1, logits);
  EXPECT_EQ(many.likely(1)[0], 999);
  EXPECT_EQ(many.likely(1)[1], 0);
  EXPECT_NEAR(many.normalizer[1], 501 + std::log(1 + 999 * std::exp(-1.0)), 1e-3);
}

TEST_F(TruthTest, TopOneAndTopFive) {
  const auto dataset = write({"a", "b", "c", "d", "e", "f", "g"}, {of(6), of(5), of(4), of(0)});
  // The third image's class is fifth of the model's answers, the second's sixth.
  const auto found = figures(sure(7, {6, 0, 0, 1}), truth_of(dataset.classes(), dataset));
  EXPECT_THAT(found, ElementsAre(PredictionFigure{"top1", 25, 4}, PredictionFigure{"top5", 75, 4}));
}

TEST_F(TruthTest, AThousandClassesAreReadAsNine) {
  std::vector<std::string> nine;
  for (const auto name : data::imagenet9_class_names()) nine.emplace_back(name);
  const auto dataset = write(nine, {of(0), of(0), of(8), of(1)});
  const auto reading = class_reading(imagenet(), dataset);
  EXPECT_EQ(std::count_if(reading.begin(), reading.end(), [](int c) { return c >= 0; }), 370);
  const auto first_of = [&](int c) {
    return static_cast<int>(std::find(reading.begin(), reading.end(), c) - reading.begin());
  };
  EXPECT_EQ(data::imagenet_classes()[static_cast<size_t>(first_of(0))].imagenet9, 0);
  // Of the last, the model is sure of a class outside the 370: wrong, whatever comes after it.
  const auto found = figures(sure(1000, {first_of(0), first_of(1), first_of(8), first_of(-1)}),
                             truth_of(imagenet(), dataset));
  EXPECT_EQ(found[0], (PredictionFigure{"top1", 50, 4}));
}

TEST_F(TruthTest, ClassesAreMatchedByNameOrWordNetIdWhateverTheirOrder) {
  const auto dataset = write({"n01443537", "tench", "b"}, {of(0), of(1), of(2)});
  // Goldfish, tench: by their other names; "x" is none of the set's.
  EXPECT_THAT(class_reading({"b", "n01440764", "x", "goldfish"}, dataset),
              ElementsAre(2, 1, -1, 0));
  // ImageNet-9 under its released names, shuffled.
  std::vector<std::string> nine;
  for (const auto name : data::imagenet9_class_names()) nine.emplace_back(name);
  const auto of_nine = write(nine, {of(0)});
  EXPECT_THAT(class_reading({"fish", "dog", "bird", "wheeled vehicle", "reptile", "carnivore",
                             "insect", "musical instrument", "primate"},
                            of_nine),
              ElementsAre(8, 0, 1, 2, 3, 4, 5, 6, 7));
}

// As many classes are not the same classes.
TEST_F(TruthTest, ClassesOfAnotherKindAreRefused) {
  const auto dataset = write({"a", "b"}, {of(0), of(1)});
  const auto refused = [&](const std::vector<std::string>& model) {
    try {
      class_reading(model, dataset);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(refused(imagenet()), "");
  EXPECT_THAT(refused({"a", "c"}), HasSubstr("1 of its 2 classes (b)"));
  EXPECT_THAT(refused({"c", "d"}), HasSubstr("--trained-on"));
  EXPECT_THAT(refused({}), HasSubstr("do not say which classes"));
  // A model of eight of ImageNet-9's has no answer for the ninth.
  std::vector<std::string> nine;
  for (const auto name : data::imagenet9_class_names()) nine.emplace_back(name);
  const auto of_nine = write(nine, {of(0)});
  nine.pop_back();
  EXPECT_THROW(class_reading(nine, of_nine), InputError);
}

TEST_F(TruthTest, SeveralRightAnswersCountOnceOrOnceEach) {
  const auto dataset = write({"a", "b", "c"}, {of(0, {1}), of(2), of(1, {1, 2})});
  const auto found = figures(sure(3, {1, 0, 1}), truth_of(dataset.classes(), dataset));
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0], (PredictionFigure{"top1", 100.0 * 2 / 3, 3}));
  // Pairs: (0,a) wrong, (0,b) right, (1,c) wrong, (2,b) right, (2,b) right, (2,c) wrong.
  EXPECT_EQ(found[2], (PredictionFigure{"top1_by_label", 50, 6}));
}

TEST_F(TruthTest, OneBackgroundBreaksAForeground) {
  const auto dataset = write({"a", "b"}, {of(0, {}, "cat1"), of(0, {}, "cat1"), of(1, {}, "dog1"),
                                          of(1, {}, "dog1"), of(1)});
  const auto found = figures(sure(2, {0, 1, 1, 1, 0}), truth_of(dataset.classes(), dataset));
  EXPECT_EQ(found.back(), (PredictionFigure{"adversarial", 50, 2}));
  EXPECT_EQ(found[0], (PredictionFigure{"top1", 60, 5}));
}

TEST_F(TruthTest, ForegroundsThatStandOnceHaveNoAdversary) {
  const auto dataset = write({"a", "b"}, {of(0, {}, "cat1"), of(1, {}, "dog1")});
  EXPECT_EQ(figures(sure(2, {0, 1}), truth_of(dataset.classes(), dataset)).size(), 2u);
}

TEST_F(TruthTest, ComeBackFromTheirFile) {
  for (const int64_t classes : {9, 1000}) {
    PredictionsFile file;
    file.truth.labels = {3, 1, 2};
    file.truth.more_labels = {{0, {4, 4}}, {2, {1}}};
    file.truth.foregrounds = {-1, 0, 0};
    if (classes == 1000) file.truth.reading.assign(1000, -1);
    file.eval_set = "mixed_rand";
    file.dataset_sha256 = "abc";
    file.cell = "def";
    file.by_weights["raw"] = sure(classes, {3, 8, 0});
    file.by_weights["ema"] = sure(classes, {3, 1, 0});
    write_predictions(scratch_ / "answers", file);
    const PredictionsFile back = read_predictions(scratch_ / "answers");
    EXPECT_EQ(back.by_weights, file.by_weights);
    EXPECT_EQ(back.truth, file.truth);
    EXPECT_TRUE(back.whole_truth);
    EXPECT_EQ(back.eval_set, "mixed_rand");
    EXPECT_EQ(back.dataset_sha256, "abc");
    EXPECT_EQ(back.cell, "def");
  }
}

TEST_F(TruthTest, FilesOfAnotherKindAreNamed) {
  PredictionsFile file;
  file.truth.labels = {3, 1};
  file.by_weights["raw"] = sure(9, {3, 8, 0});
  write_predictions(scratch_ / "answers", file);
  try {
    read_predictions(scratch_ / "answers");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("answers"));
    EXPECT_THAT(error.what(), HasSubstr("2 labels"));
  }
  write_file_atomic(scratch_ / "answers", "nothing");
  EXPECT_THROW(read_predictions(scratch_ / "answers"), InputError);
}

}  // namespace
}  // namespace remixer::evaluation
