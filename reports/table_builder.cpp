// SPDX-License-Identifier: Apache-2.0
#include "reports/table_builder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "reports/figures.h"
#include "reports/format.h"
#include "reports/notes.h"
#include "reports/paper_numbers.h"

namespace remixer::reports {

namespace {

class TableBuilder {
 public:
  TableBuilder(const TableDefinition& definition, const Setting& setting,
               const BuildOptions& options, Table& table, std::set<const Evaluation*>& shown)
      : definition_(definition),
        setting_(setting),
        options_(options),
        table_(table),
        shown_(shown) {}

  bool build(std::string& reason);

 private:
  bool choose_columns(std::string& reason);
  const Model* model_of(const PlacedRow& placed, const ColumnDefinition& column) const;
  bool evaluated(const ColumnDefinition& column) const;
  Row make_row(const PlacedRow& placed);
  void add_gains();
  void mark_best();
  void mark_best_of(size_t column, size_t first, size_t last);
  void name_labels();
  void add_paper();

  const TableDefinition& definition_;
  const Setting& setting_;
  const BuildOptions& options_;
  Table& table_;
  std::set<const Evaluation*>& shown_;
  PlacedRows placed_;
  std::vector<const ColumnDefinition*> columns_;
};

const Model* TableBuilder::model_of(const PlacedRow& placed, const ColumnDefinition& column) const {
  if (!column.remixer) return &placed.model();
  return *column.remixer ? placed.remixer : placed.plain;
}

bool TableBuilder::evaluated(const ColumnDefinition& column) const {
  return std::any_of(placed_.rows.begin(), placed_.rows.end(), [&](const PlacedRow& placed) {
    const Model* model = model_of(placed, column);
    return model && is_evaluated(*model, column, definition_.prefer);
  });
}

bool TableBuilder::choose_columns(std::string& reason) {
  bool any = false, any_key = false, has_key = false;
  for (const ColumnDefinition& column : definition_.columns) {
    const bool present = definition_.form == Form::kKappa || evaluated(column);
    has_key = has_key || column.key;
    any_key = any_key || (column.key && present);
    if (column.ours && definition_.numbered && (options_.extras != Extras::kAll || !present)) {
      continue;
    }
    any = any || present;
    columns_.push_back(&column);
    table_.columns.push_back({column.id, column.heading, column.better, definition_.arrows,
                              column.ours && definition_.numbered, false});
  }
  if (has_key ? any_key : any) return true;
  reason = "none of its sets is evaluated";
  return false;
}

Row TableBuilder::make_row(const PlacedRow& placed) {
  const StudyCell& cell = placed.model().cell();
  Row row;
  row.block = placed.block;
  row.model = placed.name;
  row.labels = placed.labels;
  row.architecture = cell.architecture;
  row.spatial_prior = cell.spatial_prior;
  row.labeler = cell.labeler;
  row.is_remixer = cell.is_remixer;
  row.starts_block = placed.starts_block;
  row.is_reference = placed.is_reference;
  row.test_time_boxes = cell.is_remixer && cell.labels.test_time_boxes;
  row.ours = placed.ours && definition_.numbered;
  row.grey = placed.definition->grey;
  for (const ColumnDefinition* column : columns_) {
    const Model* model = model_of(placed, *column);
    if (!model) {
      row.figures.emplace_back();
    } else if (definition_.form == Form::kKappa) {
      row.figures.push_back(kappa_figure(*model, column->quarter));
    } else {
      row.figures.push_back(
          accuracy_figure(*model, *column, definition_.prefer, table_.weights, shown_));
    }
  }
  return row;
}

void TableBuilder::add_gains() {
  if (definition_.form != Form::kAccuracy) return;
  for (size_t r = 0; r < table_.rows.size(); ++r) {
    for (size_t c = 0; c < columns_.size(); ++c) {
      const Figure* over = nullptr;
      if (!columns_[c]->gain_over.empty()) {
        for (size_t other = 0; other < columns_.size(); ++other) {
          if (columns_[other]->id == columns_[c]->gain_over) over = &table_.rows[r].figures[other];
        }
      } else if (placed_.rows[r].reference >= 0) {
        over = &table_.rows[static_cast<size_t>(placed_.rows[r].reference)].figures[c];
      }
      Figure& figure = table_.rows[r].figures[c];
      if (!over || !over->value || !figure.value) continue;
      figure.gain = compare(figure, *over, table_.weights, definition_.decimals, options_.read);
    }
  }
}

// Only among the paper's rows: an extra row does not take the bold from them.
void TableBuilder::mark_best_of(size_t column, size_t first, size_t last) {
  const Better better = columns_[column]->better;
  if (better == Better::kNeither) return;
  const double sign = better == Better::kLower ? -1 : 1;
  const auto score = [&](const Figure& figure) {
    return sign * rounded(figure.value->value, definition_.decimals);
  };
  std::vector<Figure*> present;
  for (size_t r = first; r < last; ++r) {
    Figure& figure = table_.rows[r].figures[column];
    if (figure.value && !table_.rows[r].ours) present.push_back(&figure);
  }
  if (present.size() < 2) return;
  std::stable_sort(present.begin(), present.end(),
                   [&](const Figure* a, const Figure* b) { return score(*a) > score(*b); });
  const Gain lead =
      compare(*present[0], *present[1], table_.weights, definition_.decimals, options_.read);
  for (Figure* figure : present) {
    figure->best = score(*figure) >= score(*present[0]) - 1e-9;
    figure->best_within_noise = figure->best && lead.within_noise;
  }
}

void TableBuilder::mark_best() {
  if (definition_.bold == Bold::kNone) return;
  for (size_t c = 0; c < columns_.size(); ++c) {
    for (size_t first = 0; first < table_.rows.size();) {
      size_t last = first + 1;
      while (last < table_.rows.size() &&
             (definition_.bold == Bold::kColumn || !table_.rows[last].starts_block)) {
        ++last;
      }
      mark_best_of(c, first, last);
      first = last;
    }
  }
}

// If there is no labeler column and the table has several labelers, names include the labeler.
void TableBuilder::name_labels() {
  if (definition_.labeler_column) return;
  std::set<std::string> labels;
  for (const Row& row : table_.rows) {
    if (!row.labels.empty()) labels.insert(row.labels);
  }
  for (Row& row : table_.rows) row.names_labels = labels.size() > 1 && !row.labels.empty();
}

void TableBuilder::add_paper() {
  if (!options_.paper || !definition_.numbered) return;
  const std::string wanted = definition_.id == "6" ? "imagenet" : "imagenet9";
  for (size_t r = 0; r < table_.rows.size(); ++r) {
    const StudyCell& cell = placed_.rows[r].model().cell();
    if (!cell.papers_train_set || cell.train_kind != wanted) continue;
    for (size_t c = 0; c < columns_.size(); ++c) {
      const PaperNumber* number = find_paper_number(table_, table_.rows[r], table_.columns[c]);
      if (!number) continue;
      table_.rows[r].figures[c].paper = number->value;
      table_.columns[c].has_paper = true;
    }
  }
}

bool TableBuilder::build(std::string& reason) {
  placed_ = place_rows(definition_, setting_.models, options_.extras);
  if (placed_.rows.empty()) {
    reason = "the models that it compares are not in the grid";
    return false;
  }
  if (!choose_columns(reason)) return false;
  table_.form = definition_.form;
  table_.labeler_column = definition_.labeler_column;
  table_.decimals = definition_.decimals;
  for (const PlacedRow& placed : placed_.rows) table_.rows.push_back(make_row(placed));
  add_gains();
  mark_best();
  name_labels();
  add_paper();
  table_.notes = make_notes(table_, definition_.bold);
  if (!placed_.absent.empty()) {
    table_.notes.push_back(fmt::format("Not in this grid: {}.", fmt::join(placed_.absent, ", ")));
  }
  return true;
}

}  // namespace

bool fill_table(const TableDefinition& definition, const Setting& setting,
                const BuildOptions& options, Table& table, std::set<const Evaluation*>& shown,
                std::string& reason) {
  return TableBuilder(definition, setting, options, table, shown).build(reason);
}

}  // namespace remixer::reports
