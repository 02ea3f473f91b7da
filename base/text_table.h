// SPDX-License-Identifier: Apache-2.0
// Prints rows as an aligned table, CSV or JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace remixer {

enum class Format { kTable, kJson, kCsv };
// "table", "json" or "csv".
Format format_from_string(std::string_view name);

// How a column's numbers look in the aligned table; CSV and JSON always hold full precision.
enum class Show {
  kPlain,      // integers as they are, others in up to 6 significant digits
  kFixed1,     // one decimal: percentages
  kDuration,   // seconds as "12 min"
  kHours,      // hours as "12 min", "1.5 h" or "91 h"
  kGigabytes,  // gigabytes as "12 MB" or "1.5 GB"
};

struct Column {
  std::string name;  // the heading, the CSV column, the JSON member
  Show show = Show::kPlain;
};

// A value of a row, or null if there is none.
template <typename T>
Json or_missing(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

class Table {
 public:
  explicit Table(std::vector<Column> columns);

  // One value per column: text, number, bool or null (missing); arrays and objects are shown as
  // compact JSON.
  void add_row(std::vector<Json> values);
  size_t rows() const { return rows_.size(); }

  // A heading and one line per row, each ended by a newline. Columns of numbers are right-aligned,
  // a missing value is "-", and control characters are shown as spaces. With `width` > 0 the widest
  // text columns are shortened (ending in "…") so that no line is wider.
  std::string text(size_t width = 0) const;
  // RFC 4180 with a header line; missing values are empty.
  std::string csv() const;
  // An array of objects, one per line.
  std::string json() const;
  std::string as(Format format, size_t width = 0) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Json>> rows_;
};

// Columns that `text` takes on a terminal; each code point counts as one.
size_t display_width(std::string_view text);
// `text` cut to at most `width` columns, the last one "…" if something was cut off.
std::string shortened(std::string_view text, size_t width);
enum class Align { kLeft, kRight };
// `text` padded with spaces to `width` columns.
std::string padded(std::string_view text, size_t width, Align align = Align::kLeft);
// Values as a line of CSV (RFC 4180, ended by a newline); missing values are empty.
std::string csv_line(const std::vector<Json>& values);

}  // namespace remixer
