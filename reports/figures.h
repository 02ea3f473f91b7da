// SPDX-License-Identifier: Apache-2.0
// Computes one figure of a table from the cells of its row.
#pragma once

#include <set>
#include <string>

#include "reports/models.h"
#include "reports/table.h"

namespace remixer::reports {

// The evaluations used for a column's figure of one cell; null if the cell has none.
struct ChosenEvaluation {
  const Evaluation* of = nullptr;
  const Evaluation* minus = nullptr;  // only if the column subtracts one
};
// The first in order of the column's definition, then `prefer`, then the cell's own data set.
ChosenEvaluation choose_evaluation(const StudyCell& cell, const ColumnDefinition& column,
                                   const std::vector<std::string>& prefer);

// Whether any task of the grids produces, or produced, the column's figure of the model.
bool is_evaluated(const Model& model, const ColumnDefinition& column,
                  const std::vector<std::string>& prefer);

// Without gain, bold and the paper's number. Evaluations that it uses are added to `shown`.
Figure accuracy_figure(const Model& model, const ColumnDefinition& column,
                       const std::vector<std::string>& prefer, const std::string& weights,
                       std::set<const Evaluation*>& shown);
// Mean κ over one quarter of the layers. Of D layers, quarter q holds floor((q - 1) D / 4) to
// floor(q D / 4) - 1; with fewer than four layers a quarter may be empty, and its figure is then
// missing.
Figure kappa_figure(const Model& model, int quarter);

}  // namespace remixer::reports
