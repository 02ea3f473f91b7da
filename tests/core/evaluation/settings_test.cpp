// SPDX-License-Identifier: Apache-2.0
#include "core/evaluation/settings.h"

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "core/evaluation/evaluator.h"
#include "core/io/torch_checkpoint.h"
#include "core/models/weights.h"
#include "core/training/cell_model.h"
#include "core/training/trainer.h"
#include "tests/core/training/tiny_cell.h"
#include "tests/support/program.h"

namespace remixer::evaluation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SettingsTest : public ::testing::Test {
 protected:
  SettingsTest() : scratch_("settings") {}

  // A file of untrained weights.
  io::Safetensors file(const models::ModelSpec& spec,
                       const std::map<std::string, std::string>& metadata = {},
                       const std::string& name = "model.safetensors") {
    models::save_weights(*models::create_model_to_load(spec), scratch_ / name, metadata);
    return io::read_weights(scratch_ / name);
  }

  static std::string refused(const io::Safetensors& weights, const std::string& architecture,
                             const SettingsWishes& wishes = {}) {
    try {
      settings_of(weights, architecture, wishes);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  }

  remixer::testing::ScratchFolder scratch_;
};

TEST_F(SettingsTest, ComeBackFromTheMetadata) {
  EvaluationSettings settings;
  settings.classes = {"a", "b \"c\"", "ü"};
  settings.mean = {0.1f, 0.2f, 0.3f};
  settings.deviation = {0.4f, 0.5f, 0.6f};
  settings.image_size = 32;
  settings.crop = 0.9;
  settings.interpolation = "bilinear";
  settings.token_vote = true;
  settings.labeler = experiments::LabelerSpec{{"masks"}};
  settings.distance = "cosine";
  const models::ModelSpec spec{.architecture = "deit_nano_patch4_32",
                               .num_classes = 3,
                               .image_size = 32,
                               .remixer = true,
                               .token_classes = 3};
  const auto weights = file(spec, models::metadata_of(settings));
  const Evaluated evaluated = settings_of(weights, spec.architecture);
  EXPECT_EQ(evaluated.settings, settings);
  EXPECT_EQ(evaluated.model.token_classes, 3);
  const Evaluated other =
      settings_of(weights, spec.architecture, {.crop = 0.5, .token_vote = false, .distance = "l1"});
  EXPECT_EQ(other.settings.crop, 0.5);
  EXPECT_EQ(other.settings.distance, "l1");
  EXPECT_EQ(other.model.token_classes, 0);
}

TEST_F(SettingsTest, ADamagedEntryIsNamed) {
  const models::ModelSpec spec{
      .architecture = "deit_nano_patch4_32", .num_classes = 3, .image_size = 32};
  EvaluationSettings settings;
  settings.deviation = {1, 1, 1};
  settings.image_size = 32;
  const std::string entry = models::metadata_of(settings).at("evaluation");
  const auto with = [&](std::string from, const std::string& to) {
    std::string text = entry;
    text.replace(text.find(from), from.size(), to);
    return refused(file(spec, {{"evaluation", text}}), spec.architecture);
  };
  EXPECT_THAT(refused(file(spec, {{"evaluation", "{"}}), spec.architecture), HasSubstr("no JSON"));
  EXPECT_THAT(with("\"crop\":0.875", "\"crop\":2"), HasSubstr("crop"));
  EXPECT_THAT(with("\"crop\":0.875", "\"corp\":2"), HasSubstr("model.safetensors"));
  EXPECT_THAT(with("\"deviation\":[1.0,", "\"deviation\":[0.0,"), HasSubstr("deviation"));
  EXPECT_THAT(with("\"version\":1", "\"version\":7"), HasSubstr("version 7"));
  EXPECT_THAT(with("bicubic", "cubic"), HasSubstr("interpolation"));
}

// Public weights say nothing: timm's configuration of their name is what they want.
TEST_F(SettingsTest, PublicWeightsGetTheirArchitecturesOwn) {
  const auto of = [&](const std::string& architecture, int64_t size, SettingsWishes wishes = {},
                      const std::string& name = "model.safetensors") {
    return settings_of(file({.architecture = architecture, .image_size = size}, {}, name),
                       architecture, wishes)
        .settings;
  };
  const auto mixer = of("mixer_s16_224", 224);
  EXPECT_THAT(mixer.mean, ElementsAre(0.5f, 0.5f, 0.5f));
  EXPECT_THAT(mixer.deviation, ElementsAre(0.5f, 0.5f, 0.5f));
  EXPECT_EQ(mixer.crop, 0.875);
  EXPECT_EQ(mixer.classes.size(), 1000u);
  EXPECT_EQ(mixer.classes[0], "n01440764");
  const auto deit = of("deit_tiny_patch16_224", 224);
  EXPECT_THAT(deit.mean, ElementsAre(0.485f, 0.456f, 0.406f));
  EXPECT_EQ(deit.crop, 0.9);
  EXPECT_EQ(of("deit_base_patch16_384", 384).crop, 1.0);
  const auto miil = of("mixer_b16_224", 224, {.checkpoint = "mixer_b16_224_miil"});
  EXPECT_THAT(miil.mean, ElementsAre(0, 0, 0));
  EXPECT_EQ(miil.interpolation, "bilinear");
  EXPECT_EQ(of("mixer_b16_224", 224, {}, "mixer_b16_224_miil-9229a591.pth.safetensors"), miil);
  EXPECT_THROW(of("deit_tiny_patch16_224", 224, {.checkpoint = "mixer_b16_224"}), InputError);
  EXPECT_THROW(of("deit_tiny_patch16_224", 224, {.checkpoint = "mixer"}), InputError);
  const auto own =
      of("deit_tiny_patch16_224", 224, {.mean = std::array{0.1f, 0.2f, 0.3f}, .crop = 0.95});
  EXPECT_THAT(own.mean, ElementsAre(0.1f, 0.2f, 0.3f));
  EXPECT_EQ(own.crop, 0.95);
}

TEST_F(SettingsTest, WhetherPatchesVoteIsNeverGuessed) {
  models::ModelSpec spec{.architecture = "deit_nano_patch4_32",
                         .num_classes = 3,
                         .image_size = 32,
                         .token_classes = 3};
  EXPECT_THAT(refused(file(spec), spec.architecture), HasSubstr("--token-vote"));
  EXPECT_EQ(settings_of(file(spec), spec.architecture, {.token_vote = true}).model.token_classes,
            3);
  EXPECT_EQ(settings_of(file(spec), spec.architecture, {.token_vote = false}).model.token_classes,
            0);
  spec.token_classes = 1000;
  EXPECT_THAT(refused(file(spec), spec.architecture, {.token_vote = true}),
              HasSubstr("aux_head has 1000 classes, the model 3"));
}

TEST_F(SettingsTest, ADatasetSaysWhatWeightsDoNot) {
  remixer::testing::write_tiny_dataset(scratch_ / "data", 6, 9);
  const models::ModelSpec spec{
      .architecture = "deit_nano_patch4_32", .num_classes = 3, .image_size = 32};
  const auto dataset = data::Dataset::open(scratch_ / "data", "train");
  const auto settings =
      settings_of(file(spec), spec.architecture, {.trained_on = scratch_ / "data"}).settings;
  EXPECT_EQ(settings.classes, dataset.classes());
  EXPECT_EQ(settings.mean, dataset.mean());
  EXPECT_EQ(settings.deviation, dataset.deviation());
  models::ModelSpec four = spec;
  four.num_classes = 4;
  EXPECT_THAT(refused(file(four), spec.architecture, {.trained_on = scratch_ / "data"}),
              HasSubstr("the model has 4 classes"));
  EXPECT_THROW(settings_of(file(spec), spec.architecture, {.trained_on = scratch_ / "nowhere"}),
               InputError);
}

// Of what a training run leaves: the last epoch's weights, the moving average and the best
// epoch's, on the cell's own data set and on another one, which is normalised by other values and
// has its classes in another order.
TEST(TrainedWeights, AreEvaluatedAlike) {
  const remixer::testing::ScratchFolder scratch("trained");
  remixer::testing::write_tiny_dataset(scratch / "data", 40, 31);
  experiments::Cell cell = remixer::testing::tiny_cell("deit_nano_patch4_32", false);
  cell.recipe.epochs = 1;
  cell.recipe.ema_decay = 0.5;
  cell.recipe.hold_out = 0.2;
  training::TrainJob training;
  training.cell = cell;
  training.dataset = scratch / "data";
  training.folder = scratch / "run";
  std::filesystem::create_directories(training.folder);
  training::SoloCommunicator solo;
  ASSERT_TRUE(training::train(training, solo).finished);

  const experiments::DatasetSpec spec{{"other"}};
  data::DatasetWriter writer(scratch / "other", {"blue", "green", "red"}, 32, spec);
  std::vector<data::Sample> samples = remixer::testing::write_tiny_split(writer, "spare", 30, 7);
  for (data::Sample& sample : samples) sample.label = 2 - sample.label;
  writer.add_split("original", samples);
  writer.publish({0.1, 0.2, 0.7}, {0.5, 0.6, 0.1});

  for (const char* name : {"model", "ema", "best"}) {
    const auto path = training.folder / (std::string(name) + ".safetensors");
    for (const bool elsewhere : {false, true}) {
      const auto folder = scratch / (elsewhere ? "other" : "data");
      EvaluateJob task;
      task.cell = cell;
      task.dataset = folder;
      task.eval_set = "original";
      task.weights = path;
      if (elsewhere) {
        task.other_dataset = spec;
        task.trained_on = scratch / "data";
      }
      const Evaluation by_task = evaluate(task, solo);
      const auto file = io::read_weights(path);
      const ModelOnSet by_hand{.dataset = data::Dataset::open(folder, "original"),
                               .evaluated = settings_of(file, cell.architecture),
                               .weights = path,
                               .on_progress = {}};
      const Evaluation again = evaluate(by_hand, solo);
      EXPECT_EQ(again.predictions, by_task.predictions) << name;
      EXPECT_EQ(again.figures, by_task.figures) << name;
      EXPECT_THAT(by_hand.evaluated.settings.mean, ElementsAre(0.35f, 0.35f, 0.35f));
      // And by what earlier versions left: weights without a word, and their cell.
      models::ModelSpec bare = by_hand.evaluated.model;
      const auto model = models::create_model_to_load(bare);
      models::load_weights(*model, file);
      task.weights = scratch / "bare.safetensors";
      models::save_weights(*model, task.weights);
      EXPECT_EQ(evaluate(task, solo).figures, by_task.figures) << name;
    }
  }
}

}  // namespace
}  // namespace remixer::evaluation
