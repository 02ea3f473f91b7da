#include "reports/build_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "reports/models.h"
#include "reports/notes.h"
#include "reports/place_rows.h"

namespace remixer::reports {

namespace {

// One definition, one setting, one kind of weights.
class TableBuilder {
 public:
  TableBuilder(const Study& study, const TableDefinition& definition,
               const std::vector<Model>& models, std::span<const PaperNumber> paper, Table& table)
      : study_(study), definition_(definition), models_(models), paper_(paper), table_(table) {}

  // False, with the reason, where the grid has no such table.
  bool build(std::string& reason);

 private:
  bool evaluated(const Model& model, const std::string& set) const;
  bool choose_columns();
  Missing why_missing(const StudyCell& cell, const std::string& set) const;
  std::optional<StudyFigure> find(const StudyCell& cell, const ColumnDefinition& column,
                                  const std::string& set) const;
  std::optional<Estimate> one_seed(const StudyCell& cell, const ColumnDefinition& column,
                                   Figure& figure) const;
  Figure make_figure(const Model& model, const ColumnDefinition& column) const;
  void fill_block(size_t first, size_t last);

  const Study& study_;
  const TableDefinition& definition_;
  const std::vector<Model>& models_;
  std::span<const PaperNumber> paper_;
  Table& table_;
  PlacedRows placed_;
  const std::vector<ColumnDefinition>* columns_ = nullptr;
};

bool TableBuilder::evaluated(const Model& model, const std::string& set) const {
  return std::any_of(model.cells.begin(), model.cells.end(), [&](const StudyCell* cell) {
    return study_.figures.contains({cell->id, table_.weights, set, "top1"}) ||
           study_.tasks.contains(evaluate_task_id(cell->identity, set));
  });
}

bool TableBuilder::choose_columns() {
  for (const auto& choice : definition_.column_choices) {
    for (const ColumnDefinition& column : choice) {
      for (const PlacedRow& placed : placed_.rows) {
        if (!evaluated(*placed.model, column.eval_set)) continue;
        columns_ = &choice;
        for (const ColumnDefinition& each : choice) {
          table_.columns.push_back({each.id, each.heading, each.lower_is_better, false});
        }
        return true;
      }
    }
  }
  return false;
}

Missing from_state(const std::string& state) {
  if (state == "failed" || state == "blocked") return Missing::kFailed;
  if (state == "cancelled") return Missing::kCancelled;
  if (state == "running") return Missing::kRunning;
  return Missing::kWaiting;
}

Missing TableBuilder::why_missing(const StudyCell& cell, const std::string& set) const {
  const auto task = study_.tasks.find(evaluate_task_id(cell.identity, set));
  if (task == study_.tasks.end() || task->second.state == "done") return Missing::kNotInGrid;
  const Missing own = from_state(task->second.state);
  if (own != Missing::kWaiting) return own;
  const auto training = study_.train_state.find(cell.id);
  if (training != study_.train_state.end() && training->second != "done") {
    return from_state(training->second);
  }
  return own;
}

std::optional<StudyFigure> TableBuilder::find(const StudyCell& cell, const ColumnDefinition& column,
                                              const std::string& set) const {
  const auto found = study_.figures.find({cell.id, table_.weights, set, column.metric});
  if (found == study_.figures.end()) return std::nullopt;
  return found->second;
}

Estimate accuracy(const StudyFigure& figure) {
  const double n = static_cast<double>(figure.n);
  Estimate fraction = wilson(std::min(n, figure.value / 100 * n), n);
  return {figure.value, 100 * fraction.low, 100 * fraction.high};
}

// The figure of one cell; where it is missing, the more telling of the reasons is kept.
std::optional<Estimate> TableBuilder::one_seed(const StudyCell& cell,
                                               const ColumnDefinition& column,
                                               Figure& figure) const {
  std::optional<Estimate> result;
  bool in_grid = true;
  std::vector<std::string> sets = {column.eval_set};
  if (!column.minus_set.empty()) sets.push_back(column.minus_set);
  for (size_t i = 0; i < sets.size(); ++i) {
    const auto found = find(cell, column, sets[i]);
    if (!found) {
      const Missing why = why_missing(cell, sets[i]);
      if (why == Missing::kNotInGrid) in_grid = false;
      figure.missing = std::max(figure.missing, why);
      result.reset();
      break;
    }
    figure.n = figure.n == 0 ? found->n : std::min(figure.n, found->n);
    result = i == 0 ? accuracy(*found) : difference(*result, accuracy(*found));
  }
  figure.seeds_in_grid += in_grid;
  return result;
}

Figure TableBuilder::make_figure(const Model& model, const ColumnDefinition& column) const {
  Figure figure;
  std::vector<double> values;
  std::optional<Estimate> single;
  for (const StudyCell* cell : model.cells) {
    const std::optional<Estimate> estimate = one_seed(*cell, column, figure);
    if (!estimate) continue;
    values.push_back(estimate->value);
    single = estimate;
  }
  figure.seeds = static_cast<int>(values.size());
  if (values.size() == 1) figure.value = single;
  if (values.size() > 1) {
    figure.value = mean_interval(values);
    figure.sd = standard_deviation(values);
  }
  for (const PaperNumber& number : paper_) {
    if (number.table == definition_.id && number.train_set == table_.train_set &&
        number.architecture == model.architecture && number.spatial_prior == model.spatial_prior &&
        number.labeler == model.labeler && number.column == column.id) {
      figure.paper = number.value;
    }
  }
  return figure;
}

// Gains over the block's reference, and the best of each column.
void TableBuilder::fill_block(size_t first, size_t last) {
  for (size_t c = 0; c < table_.columns.size(); ++c) {
    const Figure& reference = table_.rows[first].figures[c];
    const bool has_reference = table_.rows[first].is_reference && reference.value;
    std::vector<Figure*> present;
    for (size_t r = first; r < last; ++r) {
      Figure& figure = table_.rows[r].figures[c];
      if (!figure.value) continue;
      present.push_back(&figure);
      if (has_reference && r != first) figure.gain = difference(*figure.value, *reference.value);
    }
    if (present.size() < 2) continue;
    const double sign = table_.columns[c].lower_is_better ? -1 : 1;
    double best = sign * present.front()->value->value;
    for (const Figure* figure : present) best = std::max(best, sign * figure->value->value);
    for (Figure* figure : present) figure->best = sign * figure->value->value > best - 1e-9;
  }
}

bool TableBuilder::build(std::string& reason) {
  placed_ = place_rows(definition_, models_);
  if (placed_.rows.empty()) {
    reason = "the grid lacks models that it compares";
    return false;
  }
  if (!choose_columns()) {
    reason = "the grid evaluates on none of its sets";
    return false;
  }
  for (const PlacedRow& placed : placed_.rows) {
    const Model& model = *placed.model;
    Row row{placed.label,
            model.labeler_name.label,
            model.architecture,
            model.spatial_prior,
            model.labeler,
            placed.starts_block,
            placed.is_reference,
            model.labeler_name.test_time_boxes,
            {}};
    for (size_t c = 0; c < columns_->size(); ++c) {
      row.figures.push_back(make_figure(model, (*columns_)[c]));
      if (row.figures.back().paper) table_.columns[c].has_paper = true;
    }
    table_.rows.push_back(std::move(row));
  }
  for (size_t first = 0; first < placed_.rows.size();) {
    size_t last = first + 1;
    while (last < placed_.rows.size() && !placed_.rows[last].starts_block) ++last;
    fill_block(first, last);
    first = last;
  }
  table_.notes = make_notes(table_);
  if (!placed_.absent.empty()) {
    table_.notes.push_back(fmt::format("Not in this grid: {}.", fmt::join(placed_.absent, ", ")));
  }
  return true;
}

std::string file_part(const std::string& text) {
  std::string part;
  for (unsigned char c : text) part += std::isalnum(c) || c == '-' || c == '_' ? char(c) : '-';
  return part;
}

// What tells a setting from the others: the fields in which any two differ.
std::vector<std::string> telling_parts(const Setting& setting, const std::set<Setting>& all) {
  std::vector<std::string> parts;
  for (auto field : {&Setting::train_set, &Setting::recipe, &Setting::precision}) {
    const bool differs = std::any_of(all.begin(), all.end(), [&](const Setting& other) {
      return other.*field != setting.*field;
    });
    if (differs) parts.push_back(setting.*field);
  }
  return parts;
}

}  // namespace

Tables build_tables(const Study& study, const std::vector<TableDefinition>& definitions,
                    std::span<const PaperNumber> paper) {
  std::set<Setting> settings;
  for (const StudyCell& cell : study.cells) {
    settings.insert({cell.train_set, cell.recipe, cell.precision});
  }
  std::set<std::string> with_ema;
  for (const auto& [key, figure] : study.figures) {
    if (std::get<1>(key) == "ema") with_ema.insert(std::get<0>(key));
  }
  Tables result;
  for (const TableDefinition& definition : definitions) {
    for (const Setting& setting : settings) {
      const std::vector<Model> models = gather_models(study, setting);
      const bool ema = std::any_of(models.begin(), models.end(), [&](const Model& model) {
        return std::any_of(model.cells.begin(), model.cells.end(),
                           [&](const StudyCell* cell) { return with_ema.contains(cell->id); });
      });
      for (const char* weights : {"raw", "ema"}) {
        if (weights == std::string_view("ema") && !ema) continue;
        Table table;
        table.id = definition.id;
        table.name = "table" + definition.id;
        table.title = "Table " + definition.id + ". " + definition.title;
        table.caption = definition.caption;
        table.weights = weights;
        table.train_set = setting.train_set;
        table.recipe = setting.recipe;
        table.precision = setting.precision;
        for (const std::string& part : telling_parts(setting, settings)) {
          table.name += "_" + file_part(part);
          table.title += " · " + part;
        }
        if (table.weights == "ema") {
          table.name += "_ema";
          table.title += " · moving averages";
        }
        std::string reason;
        if (TableBuilder(study, definition, models, paper, table).build(reason)) {
          result.tables.push_back(std::move(table));
        } else if (table.weights == "raw") {
          result.left_out.push_back(table.title + ": " + reason);
        }
      }
    }
  }
  return result;
}

}  // namespace remixer::reports
