// SPDX-License-Identifier: Apache-2.0
#include "reports/place_rows.h"

#include <algorithm>
#include <set>

namespace remixer::reports {

namespace {

bool holds(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

class RowPlacer {
 public:
  RowPlacer(const TableDefinition& definition, const std::vector<Model>& models, Extras extras)
      : definition_(definition), models_(models), extras_(extras) {
    for (const ColumnDefinition& column : definition.columns) {
      if (column.remixer) columns_choose_ = true;
    }
    for (const BlockDefinition& block : definition.blocks) {
      for (const RowDefinition& row : block.rows) {
        if (!row.family.empty()) named_.insert(row.family);
        named_.insert(row.architectures.begin(), row.architectures.end());
      }
    }
  }
  PlacedRows run();

 private:
  bool matches(const Model& model, const RowDefinition& row) const;
  std::vector<std::string> sizes(const BlockDefinition& block) const;
  std::vector<const Model*> select(const RowDefinition& row, const std::string& size) const;
  bool joins_a_row(const RowDefinition& row, const Model& model, size_t first);
  void place_row(const BlockDefinition& block, const RowDefinition& row, const Model& model,
                 bool ours, size_t first);
  void place(const BlockDefinition& block, const std::string& size);

  const TableDefinition& definition_;
  const std::vector<Model>& models_;
  const Extras extras_;
  std::set<std::string> named_;  // families and architectures
  bool columns_choose_ = false;  // whether columns select models with or without ReMixer
  PlacedRows placed_;
};

bool RowPlacer::matches(const Model& model, const RowDefinition& row) const {
  const StudyCell& cell = model.cell();
  if (definition_.token_labeling && cell.token_labeling != *definition_.token_labeling)
    return false;
  if (row.token_labeling && cell.token_labeling != *row.token_labeling) return false;
  if (row.remixer && cell.is_remixer != *row.remixer) return false;
  if (!row.labels.empty() && !holds(row.labels, cell.labels.kind)) return false;
  if (!row.labelers.empty() && !holds(row.labelers, cell.labeler)) return false;
  if (row.prior != "any" && cell.name.prior != row.prior) return false;
  if (row.other) return !named_.contains(cell.name.family) && !named_.contains(cell.architecture);
  return (row.architectures.empty() || holds(row.architectures, cell.architecture)) &&
         (row.family.empty() || cell.name.family == row.family) &&
         (row.kernel.empty() || cell.name.kernel == row.kernel);
}

// The model size that a block is repeated for.
std::string size_of(const Model& model, const RowDefinition& row) {
  const StudyCell& cell = model.cell();
  if (row.other) return cell.architecture + " " + cell.name.prior;
  return row.family.empty() ? cell.architecture : cell.name.size;
}

std::vector<std::string> RowPlacer::sizes(const BlockDefinition& block) const {
  std::vector<std::string> found;
  const bool any_key = std::any_of(block.rows.begin(), block.rows.end(),
                                   [](const RowDefinition& row) { return row.key; });
  for (const Model& model : models_) {
    for (const RowDefinition& row : block.rows) {
      if ((any_key && !row.key) || !matches(model, row)) continue;
      const std::string size = size_of(model, row);
      if (!holds(found, size)) found.push_back(size);
    }
  }
  return found;
}

std::vector<const Model*> RowPlacer::select(const RowDefinition& row,
                                            const std::string& size) const {
  std::vector<const Model*> selected;
  for (const Model& model : models_) {
    if (matches(model, row) && size_of(model, row) == size) selected.push_back(&model);
  }
  return selected;
}

// If columns distinguish models with and without ReMixer, both share one row.
bool RowPlacer::joins_a_row(const RowDefinition& row, const Model& model, size_t first) {
  if (row.remixer || !columns_choose_) return false;
  const StudyCell& cell = model.cell();
  for (size_t i = first; i < placed_.rows.size(); ++i) {
    PlacedRow& other = placed_.rows[i];
    const Model*& place = cell.is_remixer ? other.remixer : other.plain;
    if (place || other.definition != &row || other.labels != model.labels) continue;
    const StudyCell& present = other.model().cell();
    if (present.architecture != cell.architecture || present.name.prior != cell.name.prior) {
      continue;
    }
    place = &model;
    return true;
  }
  return false;
}

void RowPlacer::place_row(const BlockDefinition& block, const RowDefinition& row,
                          const Model& model, bool ours, size_t first) {
  if (joins_a_row(row, model, first)) return;
  const StudyCell& cell = model.cell();
  PlacedRow placed;
  placed.definition = &row;
  (cell.is_remixer ? placed.remixer : placed.plain) = &model;
  placed.labels = model.labels;
  placed.block = row.other ? cell.name.whole() : cell.name.base;
  placed.starts_block = placed_.rows.size() == first;
  placed.ours = ours;
  placed.is_reference = placed.starts_block && &row == &block.rows.front();
  for (size_t i = first; i < placed_.rows.size(); ++i) {
    const PlacedRow& other = placed_.rows[i];
    const bool wanted =
        row.gain_over.empty() ? other.is_reference : other.definition->id == row.gain_over;
    if (wanted && placed.reference < 0) placed.reference = static_cast<int>(i);
  }
  placed.name = row.name;
  if (const size_t at = placed.name.find("{model}"); at != std::string::npos) {
    placed.name.replace(at, 7, placed.block);
  }
  // If the model that it extends is missing, a row's name includes the model.
  if (placed.name.starts_with("+ ") && placed.reference < 0) {
    placed.name = placed.block + " " + placed.name;
  }
  placed_.rows.push_back(std::move(placed));
}

void RowPlacer::place(const BlockDefinition& block, const std::string& size) {
  const size_t first = placed_.rows.size();
  std::set<const Model*> taken;  // a model occurs once per block
  for (const RowDefinition& row : block.rows) {
    // Of several labelers of one kind, the paper's (or the one closest to it) takes the place of
    // the paper's row.
    std::string labels;
    for (const Model* model : select(row, size)) {
      if (taken.contains(model)) continue;
      if (labels.empty()) labels = model->labels;
      const bool ours = row.ours || (definition_.numbered && model->labels != labels);
      if (ours && extras_ == Extras::kNone) continue;
      taken.insert(model);
      place_row(block, row, *model, ours, first);
    }
  }
}

PlacedRows RowPlacer::run() {
  for (const BlockDefinition& block : definition_.blocks) {
    const size_t before = placed_.rows.size();
    for (const std::string& size : sizes(block)) place(block, size);
    if (placed_.rows.size() == before && !block.name.empty()) placed_.absent.push_back(block.name);
  }
  return std::move(placed_);
}

}  // namespace

PlacedRows place_rows(const TableDefinition& definition, const std::vector<Model>& models,
                      Extras extras) {
  return RowPlacer(definition, models, extras).run();
}

}  // namespace remixer::reports
