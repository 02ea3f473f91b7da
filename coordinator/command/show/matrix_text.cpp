// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/show/matrix_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text_table.h"

namespace remixer::coordinator::command {
namespace {

std::string model_name(const Json& row) {
  const auto prior = row.at("spatial_prior").get<std::string>();
  return row.at("architecture").get<std::string>() +
         (prior.empty() || prior == "none" ? "" : " + " + prior);
}

bool differs(const Json& rows, const char* field) {
  return std::any_of(rows.begin(), rows.end(),
                     [&](const Json& row) { return row.at(field) != rows.front().at(field); });
}

std::string place_text(const Json& place, const std::string& eval_set) {
  const Json& states = place.at("states");
  const char* mark = states.at("failed") > 0 ? " ✕" : states.at("running") > 0 ? " ▶" : "";
  const auto figure = place.at("figures").find(eval_set);
  if (figure != place.at("figures").end()) {
    std::string text = fmt::format("{:.1f}", figure->at("mean").get<double>());
    const Json& deviation = figure->at("deviation");
    if (deviation.is_number()) text += fmt::format(" ± {:.1f}", deviation.get<double>());
    return text + mark;
  }
  if (place.at("tasks_done") == 0 && *mark == '\0') return "·";
  return fmt::format("{}/{}{}", place.at("tasks_done").get<int64_t>(),
                     place.at("tasks").get<int64_t>(), mark);
}

}  // namespace

std::string usual_eval_set(const Json& matrix) {
  const Json& sets = matrix.at("eval_sets");
  if (sets.empty()) return "";
  const bool original = std::find(sets.begin(), sets.end(), "original") != sets.end();
  return original ? "original" : sets.front().get<std::string>();
}

std::string matrix_text(const Json& matrix, const std::string& eval_set, size_t width) {
  const Json& rows = matrix.at("rows");
  if (rows.empty()) return "";
  std::vector<Column> columns{{"model"}};
  const bool data = differs(rows, "train_set"), recipe = differs(rows, "recipe");
  if (data) columns.push_back({"data"});
  if (recipe) columns.push_back({"recipe"});
  for (const Json& labeler : matrix.at("labelers")) columns.push_back({labeler.get<std::string>()});
  Table table(columns);
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<Json> cells{model_name(rows[i])};
    if (data) cells.push_back(rows[i].at("train_set"));
    if (recipe) cells.push_back(rows[i].at("recipe"));
    for (const Json& labeler : matrix.at("labelers")) {
      Json text;
      for (const Json& place : matrix.at("places")) {
        if (place.at("row") == i && place.at("labeler") == labeler) {
          text = place_text(place, eval_set);
        }
      }
      cells.push_back(text);
    }
    table.add_row(cells);
  }
  return table.text(width);
}

}  // namespace remixer::coordinator::command
