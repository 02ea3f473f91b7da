// SPDX-License-Identifier: Apache-2.0
// A grid's finished cells, one line each, as they come in.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/json.h"

namespace remixer::coordinator::command {

// "deit_nano", "deit_nano + convit": without the patch and image size where they are the usual
// ones.
std::string model_text(const Json& cell);

// Accuracies (top-1, raw weights, percent) of cells on some evaluation sets, and the gap between
// Mixed-Same and Mixed-Rand where both are among them.
class CellRows {
 public:
  // `cell_list` as in GET /grids/{id}, for the widths; `eval_sets` in the order wanted. With
  // `width` > 0 the sets that do not fit are left out: those that matter most to the comparison
  // stay.
  CellRows(const Json& cell_list, std::vector<std::string> eval_sets, size_t width);

  std::string heading() const;
  // The cell's line; sets without a figure are "-".
  std::string row(const Json& cell) const;

 private:
  std::vector<std::string> columns_;  // evaluation sets and "gap"
  bool several_seeds_ = false;
  size_t model_width_, labeler_width_;
};

// The evaluation sets that the cells have figures of, in the order of their first appearance.
std::vector<std::string> eval_sets_of(const Json& cell_list);

}  // namespace remixer::coordinator::command
