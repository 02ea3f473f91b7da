// SPDX-License-Identifier: Apache-2.0
#include "base/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "base/amount_text.h"
#include "base/clock.h"
#include "base/error.h"

namespace remixer {
namespace {

constexpr size_t kGap = 2;        // spaces between two columns
constexpr size_t kNarrowest = 8;  // a column is not shortened below this

bool continues_code_point(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string without_controls(std::string text) {
  for (char& byte : text) {
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F) byte = ' ';
  }
  return text;
}

std::string cell_text(const Json& value, Show show) {
  if (value.is_null()) return "-";
  if (value.is_string()) return without_controls(value.get<std::string>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (!value.is_number()) return dump(value);
  if (show == Show::kDuration) return duration_text(value.get<double>());
  if (show == Show::kHours) return hours_text(value.get<double>());
  if (show == Show::kGigabytes) return gigabytes_text(value.get<double>());
  if (show == Show::kFixed1) return fmt::format("{:.1f}", value.get<double>());
  return value.is_number_float() ? fmt::format("{:.6g}", value.get<double>()) : value.dump();
}

std::string csv_field(const Json& value) {
  if (value.is_null()) return "";
  const std::string text = value.is_string() ? value.get<std::string>() : dump(value);
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char byte : text) {
    if (byte == '"') quoted += '"';
    quoted += byte;
  }
  return quoted + '"';
}

// Narrows the widest column that may shrink until the table fits.
void shrink(std::vector<size_t>& widths, const std::vector<bool>& numeric, size_t width) {
  size_t total = kGap * (widths.size() - 1);
  for (const size_t one : widths) total += one;
  while (total > width) {
    size_t widest = widths.size();
    for (size_t i = 0; i < widths.size(); ++i) {
      if (numeric[i] || widths[i] <= kNarrowest) continue;
      if (widest == widths.size() || widths[i] > widths[widest]) widest = i;
    }
    if (widest == widths.size()) return;
    --widths[widest];
    --total;
  }
}

std::string line_of(const std::vector<std::string>& cells, const std::vector<size_t>& widths,
                    const std::vector<bool>& numeric) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line.append(kGap, ' ');
    line += padded(shortened(cells[i], widths[i]), widths[i],
                   numeric[i] ? Align::kRight : Align::kLeft);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  assert(!columns_.empty());
}

void Table::add_row(std::vector<Json> values) {
  assert(values.size() == columns_.size());
  rows_.push_back(std::move(values));
}

std::string Table::text(size_t width) const {
  std::vector<std::vector<std::string>> lines(1);
  std::vector<size_t> widths;
  std::vector<bool> numeric(columns_.size(), false);
  for (const Column& column : columns_) {
    lines[0].push_back(without_controls(column.name));
    widths.push_back(display_width(lines[0].back()));
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    for (const auto& row : rows_) {
      if (row[i].is_null()) continue;
      numeric[i] = row[i].is_number();
      if (!numeric[i]) break;
    }
  }
  for (const auto& row : rows_) {
    auto& cells = lines.emplace_back();
    for (size_t i = 0; i < columns_.size(); ++i) {
      cells.push_back(cell_text(row[i], columns_[i].show));
      widths[i] = std::max(widths[i], display_width(cells[i]));
    }
  }
  if (width > 0) shrink(widths, numeric, width);
  std::string text;
  for (const auto& cells : lines) text += line_of(cells, widths, numeric);
  return text;
}

std::string Table::csv() const {
  std::vector<Json> heading;
  for (const Column& column : columns_) heading.push_back(column.name);
  std::string text = csv_line(heading);
  for (const auto& row : rows_) text += csv_line(row);
  return text;
}

std::string Table::json() const {
  std::string text = "[";
  for (size_t r = 0; r < rows_.size(); ++r) {
    text += r > 0 ? ",\n {" : "\n {";
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) text += ", ";
      text += dump(columns_[i].name) + ": " + dump(rows_[r][i]);
    }
    text += "}";
  }
  return text + (rows_.empty() ? "]\n" : "\n]\n");
}

std::string Table::as(Format format, size_t width) const {
  switch (format) {
    case Format::kJson:
      return json();
    case Format::kCsv:
      return csv();
    case Format::kTable:
      break;
  }
  return text(width);
}

size_t display_width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(),
                                           [](char byte) { return !continues_code_point(byte); }));
}

std::string shortened(std::string_view text, size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return "";
  size_t end = 0;
  for (size_t columns = 0; end < text.size(); ++end) {
    if (!continues_code_point(text[end]) && ++columns == width) break;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string padded(std::string_view text, size_t width, Align align) {
  const size_t used = display_width(text);
  const std::string fill(width > used ? width - used : 0, ' ');
  return align == Align::kRight ? fill + std::string(text) : std::string(text) + fill;
}

std::string csv_line(const std::vector<Json>& values) {
  std::string line;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) line += ',';
    line += csv_field(values[i]);
  }
  return line + "\n";
}

Format format_from_string(std::string_view name) {
  if (name == "table") return Format::kTable;
  if (name == "json") return Format::kJson;
  if (name == "csv") return Format::kCsv;
  fail_input("unknown format '{}'; known are: table, json, csv", name);
}

}  // namespace remixer
