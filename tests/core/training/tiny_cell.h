// SPDX-License-Identifier: Apache-2.0
// Cells over the tiny dataset, quick to train.
#pragma once

#include <string>

#include "experiments/spec/cell.h"
#include "tests/support/tiny_dataset.h"

namespace remixer::testing {

inline experiments::Cell tiny_cell(const std::string& architecture, bool remixer) {
  experiments::Cell cell;
  cell.architecture = architecture;
  cell.dataset = tiny_spec();
  if (remixer) {
    cell.labeler = experiments::LabelerSpec{{"bbox_grabcut"}};
    cell.labeler_name = "bbox_grabcut";
    cell.distance = "l1";
  }
  cell.recipe.epochs = 3;
  cell.recipe.shards = 4;
  cell.recipe.shard_size = 8;
  cell.recipe.learning_rate = 2e-3;
  cell.recipe.learning_rate_batch = 0;
  cell.recipe.kappa_lr = 1e-2;
  cell.recipe.warmup_epochs = 1;
  return cell;
}

// Every part of the recipe that has a state of its own, in one cell. 6 epochs of 2 steps over 100
// images.
inline experiments::Cell full_cell(const std::string& architecture) {
  auto cell = tiny_cell(architecture, true);
  cell.labeler->name = "relabel";
  cell.distance = "cosine";
  cell.recipe.epochs = 6;
  cell.recipe.drop_path = 0.1;
  cell.recipe.clip_gradient = 1;
  cell.recipe.ema_decay = 0.9;
  cell.recipe.hold_out = 0.2;
  cell.recipe.token_labeling = "oamixer";
  return cell;
}

// Class probabilities: a sample's class where its box is, and a guess outside.
class ClassLabels : public data::LabelSource {
 public:
  explicit ClassLabels(const data::Dataset& dataset) : dataset_(dataset), boxes_(dataset) {}
  data::LabelMap map(std::string_view id) const override {
    const data::LabelMap box = boxes_.map(id);
    data::LabelMap map = box;
    map.channels = channels();
    map.values.clear();
    for (float inside : box.values) {
      for (int c = 0; c < channels(); ++c) {
        map.values.push_back(inside > 0 ? (c == label_of(id) ? 1.0f : 0.0f) : 1.0f / 3);
      }
    }
    return map;
  }
  int channels() const override { return 3; }
  bool names_top_k() const override { return false; }

 private:
  int label_of(std::string_view id) const {
    for (const data::Sample& sample : dataset_.samples()) {
      if (sample.id == id) return sample.label;
    }
    fail_input("no labels of {}", id);
  }

  data::Dataset dataset_;
  BoxLabels boxes_;
};

}  // namespace remixer::testing
