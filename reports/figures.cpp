// SPDX-License-Identifier: Apache-2.0
#include "reports/figures.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace remixer::reports {

namespace {

// Index of `value` in the list; the list's size if it is absent.
size_t place(const std::vector<std::string>& list, const std::string& value) {
  return static_cast<size_t>(std::find(list.begin(), list.end(), value) - list.begin());
}

bool is_set(const Evaluation& evaluation, const std::string& set) {
  return evaluation.split == set || evaluation.eval_set == set;
}

size_t place_of_set(const ColumnDefinition& column, const Evaluation& evaluation) {
  size_t i = 0;
  while (i < column.sets.size() && !is_set(evaluation, column.sets[i])) ++i;
  return i;
}

const Evaluation* find_minus(const StudyCell& cell, const Evaluation& of, const std::string& set) {
  for (const Evaluation& other : cell.evaluations) {
    if (other.dataset == of.dataset && other.split == set && other.transform == of.transform) {
      return &other;
    }
  }
  return nullptr;
}

bool is_released_beside(const StudyCell& cell, const Evaluation& of) {
  return std::any_of(cell.evaluations.begin(), cell.evaluations.end(), [&](const auto& other) {
    return of.transform.empty() && !other.transform.empty() && other.dataset == of.dataset &&
           other.split == of.split;
  });
}

Missing from_state(const std::string& state) {
  if (state == "failed" || state == "blocked") return Missing::kFailed;
  if (state == "cancelled") return Missing::kCancelled;
  if (state == "running") return Missing::kRunning;
  return Missing::kWaiting;
}

Missing why_missing(const StudyCell& cell, const Evaluation* evaluation) {
  if (!evaluation || evaluation->state == "done") return Missing::kNotInGrid;
  const Missing own = from_state(evaluation->state);
  if (own != Missing::kWaiting || cell.train_state.empty() || cell.train_state == "done") {
    return own;
  }
  return from_state(cell.train_state);
}

Estimate accuracy(const StudyFigure& figure) {
  const double n = static_cast<double>(figure.n);
  const Estimate fraction = wilson(std::min(n, figure.value / 100 * n), n);
  return {figure.value, 100 * fraction.low, 100 * fraction.high};
}

// The figure of one evaluation; if it is missing, the more informative reason is kept.
const StudyFigure* find_figure(const StudyCell& cell, const Evaluation* evaluation,
                               const std::string& weights, const std::string& metric,
                               Figure& figure) {
  if (evaluation) {
    const auto found = evaluation->figures.find({weights, metric});
    if (found != evaluation->figures.end()) return &found->second;
  }
  figure.missing = std::max(figure.missing, why_missing(cell, evaluation));
  return nullptr;
}

// Computes mean, deviation and interval over the parts.
void summarise(Figure& figure) {
  figure.seeds = static_cast<int>(figure.parts.size());
  if (figure.seeds == 0) return;
  if (figure.seeds == 1) {
    figure.value = figure.parts.front().interval;
    return;
  }
  std::vector<double> values;
  for (const Part& part : figure.parts) values.push_back(part.value);
  figure.value = mean_interval(values);
  figure.sd = standard_deviation(values);
}

}  // namespace

ChosenEvaluation choose_evaluation(const StudyCell& cell, const ColumnDefinition& column,
                                   const std::vector<std::string>& prefer) {
  // For one set, original images take precedence over the released code's transform.
  using Rank = std::tuple<bool, size_t, size_t, size_t, bool, bool, std::string>;
  ChosenEvaluation chosen;
  Rank best;
  for (const Evaluation& evaluation : cell.evaluations) {
    const size_t set = place_of_set(column, evaluation);
    if (!column.sets.empty() && set == column.sets.size()) continue;
    const size_t data = place(column.data, evaluation.kind);
    if (!column.data.empty() && data == column.data.size()) continue;
    if (column.own && !evaluation.own) continue;
    const Evaluation* minus =
        column.minus.empty() ? nullptr : find_minus(cell, evaluation, column.minus);
    const Rank rank{!column.minus.empty() && !minus,
                    set,
                    data,
                    place(prefer, evaluation.kind),
                    !evaluation.own,
                    !evaluation.transform.empty(),
                    evaluation.eval_set};
    if (chosen.of && !(rank < best)) continue;
    best = rank;
    chosen = {&evaluation, minus};
  }
  return chosen;
}

bool is_evaluated(const Model& model, const ColumnDefinition& column,
                  const std::vector<std::string>& prefer) {
  return std::any_of(model.cells.begin(), model.cells.end(), [&](const StudyCell* cell) {
    return choose_evaluation(*cell, column, prefer).of != nullptr;
  });
}

Figure accuracy_figure(const Model& model, const ColumnDefinition& column,
                       const std::vector<std::string>& prefer, const std::string& weights,
                       std::set<const Evaluation*>& shown) {
  Figure figure;
  for (const StudyCell* cell : model.cells) {
    const ChosenEvaluation chosen = choose_evaluation(*cell, column, prefer);
    if (chosen.of) {
      shown.insert(chosen.of);
      figure.released |= !chosen.of->transform.empty();
      figure.released_beside |= is_released_beside(*cell, *chosen.of);
    }
    if (chosen.minus) shown.insert(chosen.minus);
    const bool differs = !column.minus.empty();
    figure.seeds_in_grid += chosen.of && (!differs || chosen.minus);
    const StudyFigure* of = find_figure(*cell, chosen.of, weights, column.metric, figure);
    const StudyFigure* minus =
        differs ? find_figure(*cell, chosen.minus, weights, column.metric, figure) : nullptr;
    if (!of || (differs && !minus)) continue;
    Part part{cell->id,           cell->seed, chosen.of->task_id, "", chosen.of->predictions, "",
              chosen.of->dataset, 0,          accuracy(*of)};
    int64_t n = of->n;
    if (differs) {
      part.minus_task = chosen.minus->task_id;
      part.minus_predictions = chosen.minus->predictions;
      part.interval = difference(part.interval, accuracy(*minus));
      n = std::min(n, minus->n);
    }
    part.value = part.interval.value;
    figure.n = figure.n == 0 ? n : std::min(figure.n, n);
    figure.parts.push_back(std::move(part));
  }
  summarise(figure);
  return figure;
}

Figure kappa_figure(const Model& model, int quarter) {
  Figure figure;
  for (const StudyCell* cell : model.cells) {
    figure.seeds_in_grid += !cell->train_task.empty();
    const size_t depth = cell->kappa.size();
    const size_t first = static_cast<size_t>(quarter - 1) * depth / 4;
    const size_t last = static_cast<size_t>(quarter) * depth / 4;
    if (first == last) {
      const bool waits = !cell->train_task.empty() && cell->train_state != "done";
      figure.missing =
          std::max(figure.missing, waits ? from_state(cell->train_state) : Missing::kNotInGrid);
      continue;
    }
    double sum = 0;
    for (size_t i = first; i < last; ++i) sum += cell->kappa[i];
    Part part;
    part.cell_id = cell->id;
    part.seed = cell->seed;
    part.task = cell->train_task;
    part.value = sum / static_cast<double>(last - first);
    part.interval = {part.value, part.value, part.value};  // one training says nothing about others
    figure.n = static_cast<int64_t>(last - first);
    figure.parts.push_back(std::move(part));
  }
  summarise(figure);
  return figure;
}

}  // namespace remixer::reports
