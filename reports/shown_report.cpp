// SPDX-License-Identifier: Apache-2.0
#include "reports/shown_report.h"

#include "base/base64.h"
#include "reports/format.h"

namespace remixer::reports {

namespace {

Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

const char* gain_kind(const Gain& gain, const Column& column) {
  if (gain.within_noise || column.better == Better::kNeither) return "noise";
  return (gain.value > 0) != column.lower_is_better() ? "better" : "worse";
}

// The tasks behind a figure, one per seed.
Json runs_of(const Figure& figure) {
  Json runs = Json::array();
  for (const Part& part : figure.parts)
    runs.push_back({{"seed", part.seed}, {"cell_id", part.cell_id}, {"task_id", part.task}});
  return runs;
}

Json shown_figure(const Table& table, const Column& column, const Figure& figure) {
  return {{"value", figure.value ? Json(number_text(figure.value->value, table.decimals)) : Json()},
          {"deviation", figure.sd ? Json(number_text(*figure.sd, table.decimals)) : Json()},
          {"gain", text_or_null(gain_text(figure, table.decimals))},
          {"gain_is", figure.gain ? Json(gain_kind(*figure.gain, column)) : Json()},
          {"best", figure.best},
          {"best_within_noise", figure.best_within_noise},
          {"paper", text_or_null(paper_text(figure, table.decimals))},
          {"missing", figure.value ? Json() : Json(to_string(figure.missing))},
          {"detail", detail_text(figure, table.decimals)},
          {"runs", runs_of(figure)}};
}

Json shown_row(const Table& table, const Row& row) {
  Json figures = Json::array();
  for (size_t c = 0; c < row.figures.size(); ++c)
    figures.push_back(shown_figure(table, table.columns[c], row.figures[c]));
  return {{"name", name_text(table, row)},
          {"labels", table.labeler_column ? Json(labels_text(row)) : Json()},
          {"added", row.model.starts_with("+ ")},
          {"starts_block", row.starts_block},
          {"grey", row.grey},
          {"figures", std::move(figures)}};
}

Json shown_table(const Table& table) {
  Json columns = Json::array(), rows = Json::array();
  for (const Column& column : table.columns) {
    columns.push_back({{"id", column.id},
                       {"heading", column.heading_with_arrow()},
                       {"has_paper", column.has_paper}});
  }
  for (const Row& row : table.rows) rows.push_back(shown_row(table, row));
  return {{"id", table.id},
          {"name", table.name},
          {"title", table.title},
          {"caption", table.caption},
          {"columns", std::move(columns)},
          {"rows", std::move(rows)},
          {"notes", table.notes}};
}

}  // namespace

Json shown_report(const Report& report) {
  Json tables = Json::array();
  for (const Table& table : report.tables) tables.push_back(shown_table(table));
  return {{"grid", report.grid},
          {"submits", report.submits},
          {"made_at", report.made_at},
          {"tables", std::move(tables)},
          {"left_out", report.left_out}};
}

Json shown_pictures(const std::vector<Picture>& pictures) {
  Json list = Json::array();
  for (const Picture& picture : pictures) {
    list.push_back({{"name", picture.name},
                    {"heading", picture.heading},
                    {"caption", picture.caption},
                    {"alt", picture.alt},
                    {"image", "data:image/png;base64," + base64(picture.png)}});
  }
  return list;
}

}  // namespace remixer::reports
