// A cell over the tiny dataset, quick to train.
#pragma once

#include <string>

#include "experiments/cell.h"
#include "tests/support/tiny_dataset.h"

namespace remixer::testing {

inline experiments::Cell tiny_cell(const std::string& architecture, bool remixer) {
  experiments::Cell cell;
  cell.architecture = architecture;
  cell.dataset = tiny_spec();
  if (remixer) {
    cell.labeler = {{"name", "bbox_grabcut"}, {"version", 1}};
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

}  // namespace remixer::testing
