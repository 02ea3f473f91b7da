// SPDX-License-Identifier: Apache-2.0
// Writes tables for programs: one record per figure, as CSV and JSON.
#include <fmt/format.h>

#include "base/json.h"
#include "base/text_table.h"
#include "reports/report.h"

namespace remixer::reports {

namespace {

// Six significant digits: more than any of these figures has.
Json number(double value) {
  return Json::parse(fmt::format("{:.6g}", value));
}
template <typename T>
Json number(const std::optional<T>& value) {
  return value ? number(*value) : Json();
}

struct Field {
  const char* name;
  Json value;
};

const char* text_of(Better better) {
  switch (better) {
    case Better::kHigher:
      return "higher";
    case Better::kLower:
      return "lower";
    case Better::kNeither:
      return "";
  }
  return "";
}

std::vector<Field> record(const Table& table, const Row& row, const Column& column,
                          const Figure& figure) {
  const bool has = figure.value.has_value();
  const auto of_value = [&](double Estimate::*part) {
    return has ? number((*figure.value).*part) : Json();
  };
  const auto of_gain = [&](double Estimate::*part) {
    return figure.gain ? number((*figure.gain).*part) : Json();
  };
  const bool interval = has && figure.value->low < figure.value->high;
  return {
      {"table", table.id},
      {"weights", table.weights},
      {"train_set", table.train_set},
      {"recipe", table.recipe},
      {"precision", table.precision},
      {"block", row.block},
      {"model", row.model},
      {"labels", row.labels},
      {"architecture", row.architecture},
      {"spatial_prior", row.spatial_prior},
      {"labeler", row.labeler},
      {"test_time_boxes", row.test_time_boxes},
      {"ours", row.ours || column.ours},
      {"column", column.id},
      {"better", text_of(column.better)},
      {"value", of_value(&Estimate::value)},
      {"low", interval ? of_value(&Estimate::low) : Json()},
      {"high", interval ? of_value(&Estimate::high) : Json()},
      {"sd", number(figure.sd)},
      {"seeds", figure.seeds},
      {"n", has ? Json(figure.n) : Json()},
      {"gain", of_gain(&Estimate::value)},
      {"gain_low", of_gain(&Estimate::low)},
      {"gain_high", of_gain(&Estimate::high)},
      {"gain_basis", figure.gain ? Json(to_string(figure.gain->basis)) : Json()},
      {"gain_p", figure.gain ? number(figure.gain->p) : Json()},
      {"within_noise", figure.gain ? Json(figure.gain->within_noise) : Json()},
      {"best", figure.best},
      {"best_within_noise", figure.best ? Json(figure.best_within_noise) : Json()},
      {"missing", has ? Json() : Json(to_string(figure.missing))},
      {"paper", number(figure.paper)},
      {"paper_difference",
       figure.paper && has ? number(figure.value->value - *figure.paper) : Json()},
  };
}

Json csv_value(const Json& value) {
  return value.is_boolean() ? Json(value.get<bool>() ? 1 : 0) : value;
}

}  // namespace

std::string csv_header() {
  std::vector<Json> names;
  for (const Field& field : record({}, {}, {}, {})) names.emplace_back(field.name);
  return csv_line(names);
}

std::string to_csv(const Table& table) {
  std::string text = csv_header();
  for (const Row& row : table.rows) {
    for (size_t c = 0; c < row.figures.size(); ++c) {
      std::vector<Json> values;
      for (const Field& field : record(table, row, table.columns[c], row.figures[c])) {
        values.push_back(csv_value(field.value));
      }
      text += csv_line(values);
    }
  }
  return text;
}

std::string to_json(const std::vector<const Table*>& tables) {
  std::string text;
  for (const Table* table : tables) {
    for (const Row& row : table->rows) {
      for (size_t c = 0; c < row.figures.size(); ++c) {
        // In the order of the CSV columns.
        nlohmann::ordered_json object;
        for (const Field& field : record(*table, row, table->columns[c], row.figures[c])) {
          object[field.name] = nlohmann::ordered_json(field.value);
        }
        text += (text.empty() ? "[\n" : ",\n") + object.dump();
      }
    }
  }
  return text.empty() ? "[]\n" : text + "\n]\n";
}

}  // namespace remixer::reports
