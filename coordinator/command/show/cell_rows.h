// SPDX-License-Identifier: Apache-2.0
// Prints a grid's finished cells, one line each, as they finish.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "experiments/protocol/answers.h"

namespace remixer::coordinator::command {

namespace answers = experiments::protocol::answers;

// "deit_nano", "deit_nano + convit": the model's name without patch and image size if they are the
// usual ones.
std::string model_text(const answers::Cell& cell);

// The cell's accuracy (top-1, raw weights, percent) on the set; nothing if there is none.
std::optional<double> top1(const answers::Cell& cell, const std::string& eval_set);

// Accuracies (top-1, raw weights, percent) of cells on some evaluation sets, and the gap between
// Mixed-Same and Mixed-Rand if both are among them.
class CellRows {
 public:
  // `cells` are used for the column widths; `eval_sets` in the wanted order. If `width` > 0, sets
  // that do not fit are left out: the least important to the comparison are removed first.
  CellRows(const std::vector<answers::Cell>& cells, std::vector<std::string> eval_sets,
           size_t width);

  std::string heading() const;
  // The cell's line; "-" for sets without a figure.
  std::string row(const answers::Cell& cell) const;

 private:
  std::vector<std::string> columns_;  // evaluation sets and "gap"
  bool several_seeds_ = false;
  size_t model_width_, labeler_width_;
};

// The evaluation sets for which cells have figures, in order of first appearance.
std::vector<std::string> eval_sets_of(const std::vector<answers::Cell>& cells);

}  // namespace remixer::coordinator::command
