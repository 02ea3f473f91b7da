// SPDX-License-Identifier: Apache-2.0
// One figure, as one_figure_test.cpp, of the architectures that want larger images; a spatial prior
// as well. Each is evaluated on a few images only: its forward takes seconds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/spec/architectures.h"
#include "tests/core/evaluation/one_figure.h"

namespace remixer::evaluation {
namespace {

using Case = std::pair<std::string, std::string>;  // architecture, spatial prior

class LargeArchitectures : public ::testing::TestWithParam<Case> {};

TEST_P(LargeArchitectures, HaveOneFigure) {
  const auto& [architecture, prior] = GetParam();
  const remixer::testing::ScratchFolder scratch("large");
  remixer::testing::write_tiny_dataset(scratch / "data", 6, 3);
  const auto dataset = data::Dataset::open(scratch / "data", "original");
  training::SoloCommunicator solo;
  const remixer::testing::OneModel model(
      scratch / "model.safetensors", architecture, "none", /*masked=*/true, dataset,
      [&, prior = prior](experiments::Cell& cell) {
        cell.spatial_prior = prior;
        cell.recipe.image_size = experiments::find_architecture(cell.architecture).image_size;
      });
  const auto labels = model.labels(dataset);
  const Evaluation by_task = evaluate(model.task(scratch / "data", labels.get()), solo);
  const ModelOnSet by_hand = model.by_hand(dataset, labels.get());
  EXPECT_EQ(by_hand.evaluated.model.image_size, model.cell.recipe.image_size);
  EXPECT_EQ(by_hand.evaluated.model.spatial_prior, prior);
  EXPECT_EQ(evaluate(by_hand, solo).predictions, by_task.predictions);
  // What the same weights are without a word: their architecture's own settings.
  models::save_weights(*model.model, model.path);
  const auto bare = model.by_hand(dataset, labels.get(),
                                  {.trained_on = scratch / "data",
                                   .crop = 0.875,
                                   .interpolation = "bicubic",
                                   .distance = "l1"});
  EXPECT_EQ(bare.evaluated.settings.mean, by_hand.evaluated.settings.mean);
  EXPECT_EQ(bare.evaluated.settings.crop, by_hand.evaluated.settings.crop);
}

std::vector<Case> large_architectures() {
  std::vector<Case> cases{{"deit_nano_patch4_32", "convit"}};
  for (const auto& architecture : experiments::architectures()) {
    if (architecture.image_size > 32) cases.emplace_back(architecture.name, "none");
  }
  cases.emplace_back("deit_tiny_patch16_224", "convit");
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, LargeArchitectures, ::testing::ValuesIn(large_architectures()),
                         [](const auto& info) {
                           return info.param.first + "_" + info.param.second;
                         });

}  // namespace
}  // namespace remixer::evaluation
