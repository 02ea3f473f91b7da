// SPDX-License-Identifier: Apache-2.0
// One figure, however it is made (docs/evaluation.md): by a grid's task, by the file of weights
// alone
// (`model evaluate`), from the stored predictions (`report`), and composite by composite
// (`model challenge`); over every architecture that fits 32 pixels, plain and masked, every kind of
// TokenLabeling and every labeler.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/predictions_file.h"
#include "core/evaluation/adversarial.h"
#include "experiments/spec/architectures.h"
#include "experiments/spec/components.h"
#include "tests/core/evaluation/one_figure.h"

namespace remixer::evaluation {
namespace {

using remixer::testing::OneModel;

class OneFigure : public ::testing::TestWithParam<std::tuple<std::string, std::string, bool>> {
 protected:
  OneFigure() : scratch_("one_figure") {}
  OneModel make(const data::Dataset& dataset) const {
    const auto& [architecture, token_labeling, masked] = GetParam();
    return OneModel(scratch_ / "model.safetensors", architecture, token_labeling, masked, dataset);
  }
  remixer::testing::ScratchFolder scratch_;
  training::SoloCommunicator solo_;
};

// The evaluation set is normalised as the training set is.
TEST_P(OneFigure, WhereverItIsMade) {
  const auto& [architecture, token_labeling, masked] = GetParam();
  remixer::testing::write_tiny_dataset(scratch_ / "data", 6, 31);
  const auto dataset = data::Dataset::open(scratch_ / "data", "original");
  const OneModel model = make(dataset);
  const auto labels = model.labels(dataset);
  const Evaluation by_task = evaluate(model.task(scratch_ / "data", labels.get()), solo_);
  const ModelOnSet by_hand = model.by_hand(dataset, labels.get());
  EXPECT_EQ(evaluate(by_hand, solo_).predictions, by_task.predictions);
  EXPECT_EQ(by_hand.evaluated.settings.token_vote, token_labeling == "original");
  EXPECT_GT(by_task.top1, 0);
  // What a report counts from the file that the task leaves.
  write_predictions(scratch_ / "predictions.safetensors",
                    {.by_weights = {{"raw", by_task.predictions}},
                     .truth = by_task.truth,
                     .eval_set = "original",
                     .dataset_sha256 = dataset.content_hash(),
                     .cell = model.cell.id()});
  const PredictionsFile stored = read_predictions(scratch_ / "predictions.safetensors");
  EXPECT_EQ(figures(stored.by_weights.at("raw"), stored.truth), by_task.figures);
  // Weights of earlier versions are evaluated as their cell says; imported ones, which say nothing
  // either, as the user does.
  models::save_weights(*model.model, model.path);
  EXPECT_EQ(evaluate(model.task(scratch_ / "data", labels.get()), solo_).predictions,
            by_task.predictions);
  SettingsWishes wishes{.trained_on = scratch_ / "data", .distance = model.cell.distance};
  if (token_labeling != "none") wishes.token_vote = token_labeling == "original";
  if (!masked) wishes.distance.clear();
  ModelOnSet imported = model.by_hand(dataset, labels.get(), wishes);
  EXPECT_EQ(evaluate(imported, solo_).predictions, by_task.predictions);
  // And once `model import` has written that down, without being told.
  models::save_weights(*model.model, model.path, models::metadata_of(imported.evaluated.settings));
  EXPECT_EQ(evaluate(model.by_hand(dataset, labels.get()), solo_).predictions, by_task.predictions);
}

// The challenge answers each composite as evaluation answers the same image.
TEST_P(OneFigure, AndCompositeByComposite) {
  const remixer::testing::CompositeSet set(scratch_ / "data");
  const auto composites = data::Dataset::open(scratch_ / "data", "original");
  const OneModel model = make(composites);
  const auto labels = model.labels(composites);
  const Evaluation each = evaluate(model.task(scratch_ / "data", labels.get()), solo_);

  AdversarialJob job{.foregrounds = data::Dataset::open(scratch_ / "data", "only_fg"),
                     .backgrounds = data::Dataset::open(scratch_ / "data", "only_bg_t"),
                     .evaluated = model.by_hand(composites, nullptr).evaluated,
                     .weights = model.path,
                     .labeler = {},
                     .batch_size = 3,
                     .on_progress = {}};
  job.labeler = [&](const std::vector<Composite>& asked) {
    std::vector<data::LabelMap> maps;
    for (const Composite& composite : asked) {
      maps.push_back(labels->map(set.id_of(composite.sample.id)));
    }
    return maps;
  };
  const AdversarialOutcome outcome = challenge(job, solo_);
  const std::vector<bool> right = right_by_image(each.predictions, each.truth);
  int64_t unbroken = 0;
  for (int i = 0; i < set.kForegrounds; ++i) {
    int64_t first_wrong = -1;
    for (int b = 0; b < set.kBackgrounds && first_wrong < 0; ++b) {
      if (!right[static_cast<size_t>(i * set.kBackgrounds + b)]) first_wrong = b;
    }
    EXPECT_EQ(outcome.flipped_by[static_cast<size_t>(i)], first_wrong) << i;
    unbroken += first_wrong < 0;
  }
  EXPECT_DOUBLE_EQ(outcome.unbroken, 100.0 * static_cast<double>(unbroken) / set.kForegrounds);
  // The same share as the metric of a set that shows foregrounds on several backgrounds.
  const auto metric =
      std::find_if(each.figures.begin(), each.figures.end(),
                   [](const auto& figure) { return figure.metric == "adversarial"; });
  ASSERT_NE(metric, each.figures.end());
  EXPECT_DOUBLE_EQ(metric->value, outcome.unbroken);
}

std::vector<std::string> small_architectures() {
  std::vector<std::string> names;
  for (const auto& architecture : experiments::architectures()) {
    if (architecture.image_size == 32) names.push_back(architecture.name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, OneFigure,
                         ::testing::Combine(::testing::ValuesIn(small_architectures()),
                                            ::testing::Values("none", "oamixer", "original"),
                                            ::testing::Bool()),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_" + std::get<1>(info.param) +
                                  (std::get<2>(info.param) ? "_masked" : "_plain");
                         });

// Whatever labels a model was trained with, and however they are compared.
TEST(OneFigureOfEachLabeler, WhereverItIsMade) {
  const remixer::testing::ScratchFolder scratch("labelers");
  remixer::testing::write_tiny_dataset(scratch / "data", 6, 12);
  const auto dataset = data::Dataset::open(scratch / "data", "original");
  training::SoloCommunicator solo;
  int seen = 0;
  for (const experiments::Labeler& labeler : experiments::labelers()) {
    for (const char* distance : {"l1", "cosine"}) {
      OneModel model(scratch / "model.safetensors", "deit_nano_patch4_32", "none", true, dataset,
                     [&](experiments::Cell& cell) {
                       cell.labeler = experiments::LabelerSpec{{labeler.name, labeler.version}};
                       cell.distance = distance;
                     });
      const auto labels = model.labels(dataset);
      const Evaluation by_task = evaluate(model.task(scratch / "data", labels.get()), solo);
      const ModelOnSet by_hand = model.by_hand(dataset, labels.get());
      EXPECT_EQ(evaluate(by_hand, solo).predictions, by_task.predictions) << labeler.name;
      EXPECT_EQ(by_hand.evaluated.settings.labeler, model.cell.labeler);
      EXPECT_EQ(by_hand.evaluated.settings.distance, distance);
      // The distance counts: the other one is another figure, or at least other logits.
      SettingsWishes other{.distance = std::string(distance) == "l1" ? "cosine" : "l1"};
      EXPECT_NE(evaluate(model.by_hand(dataset, labels.get(), other), solo).predictions,
                by_task.predictions)
          << labeler.name;
      ++seen;
    }
  }
  EXPECT_GE(seen, 20);
}

}  // namespace
}  // namespace remixer::evaluation
