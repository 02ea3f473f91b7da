// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/show/matrix_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text_table.h"

namespace remixer::coordinator::command {

namespace answers = experiments::protocol::answers;

namespace {

std::string model_name(const answers::MatrixRow& row) {
  const std::string& prior = row.spatial_prior;
  return row.architecture + (prior.empty() || prior == "none" ? "" : " + " + prior);
}

bool differs(const std::vector<answers::MatrixRow>& rows, std::string answers::MatrixRow::*field) {
  return std::any_of(rows.begin(), rows.end(), [&](const answers::MatrixRow& row) {
    return row.*field != rows.front().*field;
  });
}

std::string place_text(const answers::MatrixPlace& place, const std::string& eval_set) {
  const char* mark = place.states.failed > 0 ? " ✕" : place.states.running > 0 ? " ▶" : "";
  const auto figure = place.figures.find(eval_set);
  if (figure != place.figures.end()) {
    std::string text = fmt::format("{:.1f}", figure->second.mean);
    if (figure->second.deviation) text += fmt::format(" ± {:.1f}", *figure->second.deviation);
    return text + mark;
  }
  if (place.tasks_done == 0 && *mark == '\0') return "·";
  return fmt::format("{}/{}{}", place.tasks_done, place.tasks, mark);
}

}  // namespace

std::string usual_eval_set(const answers::Matrix& matrix) {
  const std::vector<std::string>& sets = matrix.eval_sets;
  if (sets.empty()) return "";
  const bool original = std::find(sets.begin(), sets.end(), "original") != sets.end();
  return original ? "original" : sets.front();
}

std::string matrix_text(const answers::Matrix& matrix, const std::string& eval_set, size_t width) {
  const std::vector<answers::MatrixRow>& rows = matrix.rows;
  if (rows.empty()) return "";
  std::vector<Column> columns{{"model"}};
  const bool data = differs(rows, &answers::MatrixRow::train_set);
  const bool recipe = differs(rows, &answers::MatrixRow::recipe);
  if (data) columns.push_back({"data"});
  if (recipe) columns.push_back({"recipe"});
  for (const std::string& labeler : matrix.labelers) columns.push_back({labeler});
  Table table(columns);
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<Json> cells{model_name(rows[i])};
    if (data) cells.push_back(rows[i].train_set);
    if (recipe) cells.push_back(rows[i].recipe);
    for (const std::string& labeler : matrix.labelers) {
      Json text;
      for (const answers::MatrixPlace& place : matrix.places) {
        if (place.row == static_cast<int64_t>(i) && place.labeler == labeler) {
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
