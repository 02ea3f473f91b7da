#include <fmt/format.h>

#include "reports/report.h"

namespace remixer::reports {

namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (char c : text) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + "\"";
}

std::string number(double value) {
  return fmt::format("{:.6g}", value);
}

void append_estimate(std::string& line, const std::optional<Estimate>& estimate) {
  if (estimate) {
    line += fmt::format(",{},{},{}", number(estimate->value), number(estimate->low),
                        number(estimate->high));
  } else {
    line += ",,,";
  }
}

}  // namespace

std::string to_csv(const Table& table) {
  std::string text =
      "table,weights,train_set,recipe,precision,model,labels,architecture,spatial_prior,labeler,"
      "test_time_boxes,column,better,value,low,high,sd,seeds,n,gain,gain_low,gain_high,best,"
      "missing,"
      "paper\n";
  for (const Row& row : table.rows) {
    std::string start;
    for (const std::string* field :
         {&table.id, &table.weights, &table.train_set, &table.recipe, &table.precision, &row.model,
          &row.labels, &row.architecture, &row.spatial_prior, &row.labeler}) {
      start += quoted(*field) + ",";
    }
    start += row.test_time_boxes ? "1," : "0,";
    for (size_t c = 0; c < row.figures.size(); ++c) {
      const Figure& figure = row.figures[c];
      const Column& column = table.columns[c];
      std::string line = start + column.id + (column.lower_is_better ? ",lower" : ",higher");
      append_estimate(line, figure.value);
      line += fmt::format(",{}", figure.sd ? number(*figure.sd) : "");
      line += figure.value ? fmt::format(",{},{}", figure.seeds, figure.n) : ",0,";
      append_estimate(line, figure.gain);
      line += fmt::format(",{},{},{}", figure.best ? 1 : 0,
                          figure.value ? "" : to_string(figure.missing),
                          figure.paper ? number(*figure.paper) : "");
      text += line + "\n";
    }
  }
  return text;
}

}  // namespace remixer::reports
