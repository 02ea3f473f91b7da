// SPDX-License-Identifier: Apache-2.0
#include "reports/plain_table.h"

#include <algorithm>

namespace remixer::reports {

namespace {

// The column of a published table that shows only this set; null if there is none.
const ColumnDefinition* known_column(const Evaluation& evaluation,
                                     const std::vector<TableDefinition>& known) {
  const auto holds = [](const std::vector<std::string>& list, const std::string& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  };
  for (const TableDefinition& table : known) {
    for (const ColumnDefinition& column : table.columns) {
      if (!column.minus.empty() || column.own) continue;
      if (holds(column.sets, evaluation.split) || holds(column.data, evaluation.kind)) {
        return &column;
      }
    }
  }
  return nullptr;
}

std::vector<BlockDefinition> every_model() {
  BlockDefinition block;
  for (const bool token_labeling : {false, true}) {
    for (const bool remixer : {false, true}) {
      RowDefinition row;
      row.other = true;
      row.prior = "any";
      row.remixer = remixer;
      row.token_labeling = token_labeling;
      row.name = remixer ? "+ ReMixer (ours)" : "{model}";
      if (token_labeling) row.name += ", TokenLabeling";
      block.rows.push_back(row);
    }
  }
  return {block};
}

}  // namespace

PlainTable plain_table(const Setting& setting, const std::vector<TableDefinition>& known,
                       const std::set<const Evaluation*>& shown) {
  PlainTable plain;
  plain.definition.id = "results";
  plain.definition.title = "Other evaluations";
  plain.definition.caption =
      "Accuracy on the evaluation sets that no table above shows. The gain in parentheses is "
      "over the plain model of the block.";
  plain.definition.labeler_column = true;
  plain.definition.token_labeling.reset();
  plain.definition.blocks = every_model();
  std::set<std::string> sets;
  for (const Model& model : setting.models) {
    for (const StudyCell* cell : model.cells) {
      for (const Evaluation& evaluation : cell->evaluations) {
        if (shown.contains(&evaluation) || !sets.insert(evaluation.eval_set).second) continue;
        ColumnDefinition column;
        column.id = evaluation.eval_set;
        column.sets = {evaluation.eval_set};
        column.better = Better::kHigher;
        const ColumnDefinition* same = known_column(evaluation, known);
        column.heading = same && evaluation.own ? same->heading : evaluation.eval_set;
        if (same && evaluation.own && !evaluation.transform.empty())
          column.heading += " (released)";
        if (same) column.better = same->better;
        plain.definition.columns.push_back(std::move(column));
      }
    }
  }
  plain.setting = setting;
  std::erase_if(plain.setting.models, [&](const Model& model) {
    return std::none_of(model.cells.begin(), model.cells.end(), [&](const StudyCell* cell) {
      return std::any_of(
          cell->evaluations.begin(), cell->evaluations.end(),
          [&](const Evaluation& evaluation) { return sets.contains(evaluation.eval_set); });
    });
  });
  return plain;
}

}  // namespace remixer::reports
