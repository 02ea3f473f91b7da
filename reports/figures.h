// SPDX-License-Identifier: Apache-2.0
// One figure of a table from the cells of its row.
#pragma once

#include <set>
#include <string>

#include "reports/models.h"
#include "reports/table.h"

namespace remixer::reports {

// The evaluations behind a column's figure of one cell; null where the cell has none.
struct ChosenEvaluation {
  const Evaluation* of = nullptr;
  const Evaluation* minus = nullptr;  // only where the column takes one away
};
// The first that the column's definition and then `prefer` name, then the cell's own data set.
ChosenEvaluation choose_evaluation(const StudyCell& cell, const ColumnDefinition& column,
                                   const std::vector<std::string>& prefer);

// Whether anything of the grids makes, or made, the column's figure of the model.
bool is_evaluated(const Model& model, const ColumnDefinition& column,
                  const std::vector<std::string>& prefer);

// Without gain, bold and the paper's number. What it takes is added to `shown`.
Figure accuracy_figure(const Model& model, const ColumnDefinition& column,
                       const std::vector<std::string>& prefer, const std::string& weights,
                       std::set<const Evaluation*>& shown);
// The mean of κ over one quarter of the layers. Of D layers the quarter q holds those from
// floor((q - 1) D / 4) to floor(q D / 4) - 1; with fewer than four a quarter may hold none, and its
// figure is then missing.
Figure kappa_figure(const Model& model, int quarter);

}  // namespace remixer::reports
