// SPDX-License-Identifier: Apache-2.0
#include "reports/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace remixer::reports {

namespace {

auto printed(const Model& model) {
  const StudyCell& cell = model.cell();
  return std::tuple(cell.name.whole(), cell.is_remixer, cell.token_labeling, model.labels);
}

// Makes names unique for labelers of one kind with different parameters, and for cells that differ
// in something no table shows: first by the grid's name for the labeler, then by a number.
void tell_apart(std::vector<Model>& models) {
  std::map<decltype(printed(models.front())), int> count;
  for (const Model& model : models) ++count[printed(model)];
  for (Model& model : models) {
    if (count[printed(model)] > 1 && !model.labels.empty()) {
      model.labels += " · " + model.cell().labeler;
    }
  }
  std::map<decltype(printed(models.front())), int> seen;
  for (Model& model : models) {
    const int number = ++seen[printed(model)];
    if (number > 1) model.labels += fmt::format("{}({})", model.labels.empty() ? "" : " ", number);
  }
}

std::vector<Model> gather_models(const std::vector<const StudyCell*>& cells) {
  std::vector<Model> models;
  std::map<std::string, size_t> by_identity;
  for (const StudyCell* cell : cells) {
    const auto [found, is_new] = by_identity.emplace(cell->but_seed, models.size());
    if (is_new)
      models.push_back(
          {{}, cell->is_remixer || cell->token_labeling ? cell->labels.label : std::string()});
    models[found->second].cells.push_back(cell);
  }
  for (Model& model : models) {
    std::stable_sort(model.cells.begin(), model.cells.end(),
                     [](const StudyCell* a, const StudyCell* b) { return a->seed < b->seed; });
  }
  tell_apart(models);
  const auto place = [](const Model& model) {
    const StudyCell& cell = model.cell();
    return std::tuple(cell.name.order, cell.name.prior == "none" ? "" : cell.name.prior,
                      cell.token_labeling, cell.is_remixer, cell.labels.order);
  };
  std::stable_sort(models.begin(), models.end(),
                   [&](const Model& a, const Model& b) { return place(a) < place(b); });
  return models;
}

}  // namespace

std::vector<Setting> gather_settings(const Study& study) {
  std::vector<Setting> settings;
  std::vector<std::vector<const StudyCell*>> cells;
  std::map<std::pair<std::string, std::string>, size_t> known;
  std::map<std::tuple<std::string, std::string, std::string>, int> named;
  for (const StudyCell& cell : study.cells) {
    const auto [found, is_new] =
        known.emplace(std::pair(cell.setting, cell.precision), settings.size());
    if (is_new) {
      // Two grids may use one recipe name for different recipes: they stay separate.
      const int number = ++named[{cell.train_set, cell.recipe, cell.precision}];
      const std::string recipe =
          number == 1 ? cell.recipe : fmt::format("{} ({})", cell.recipe, number);
      settings.push_back({cell.train_set, recipe, cell.precision, {}});
      cells.emplace_back();
    }
    cells[found->second].push_back(&cell);
  }
  for (size_t i = 0; i < settings.size(); ++i) settings[i].models = gather_models(cells[i]);
  return settings;
}

}  // namespace remixer::reports
