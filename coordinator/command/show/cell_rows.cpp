// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/show/cell_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/text_table.h"

namespace remixer::coordinator::command {
namespace {

constexpr const char* kGap = "gap";
constexpr size_t kSeedWidth = 6;
// Priority of columns on a narrow terminal; other sets come after these.
constexpr std::array kFirst{"original", "mixed_rand", "mixed_same", kGap};

size_t column_width(const std::string& column) {
  return 2 + std::max<size_t>(5, column.size());
}

std::string value_text(const answers::Cell& cell, const std::string& column) {
  if (column != kGap) {
    const auto value = top1(cell, column);
    return value ? fmt::format("{:.1f}", *value) : "-";
  }
  const auto same = top1(cell, "mixed_same"), rand = top1(cell, "mixed_rand");
  return same && rand ? fmt::format("{:.1f}", *same - *rand) : "-";
}

// Removes "_patch4_32" from "convmixer_nano_patch4_32_full".
std::string without_size(std::string name) {
  constexpr std::string_view kMark = "_patch";
  const size_t begin = name.find(kMark);
  if (begin == std::string::npos) return name;
  const size_t separator = name.find_first_not_of("0123456789", begin + kMark.size());
  if (separator == std::string::npos || name[separator] != '_') return name;
  const size_t end = name.find_first_not_of("0123456789", separator + 1);
  name.erase(begin, end == std::string::npos ? end : end - begin);
  return name;
}

// Removes columns, the least important first, until the rest fits into `room`.
void keep_what_fits(std::vector<std::string>& columns, size_t room) {
  const auto rank = [](const std::string& column) {
    return static_cast<size_t>(std::find(kFirst.begin(), kFirst.end(), column) - kFirst.begin());
  };
  size_t used = 0;
  for (const std::string& column : columns) used += column_width(column);
  while (used > room && columns.size() > 1) {
    // The last one among the least important.
    auto worst = columns.begin();
    for (auto at = columns.begin(); at != columns.end(); ++at) {
      if (rank(*at) >= rank(*worst)) worst = at;
    }
    used -= column_width(*worst);
    columns.erase(worst);
  }
}

}  // namespace

std::string model_text(const answers::Cell& cell) {
  const std::string text = without_size(cell.architecture);
  return cell.spatial_prior == "none" ? text : text + " + " + cell.spatial_prior;
}

std::optional<double> top1(const answers::Cell& cell, const std::string& eval_set) {
  for (const auto& figure : cell.figures) {
    if (figure.weights == "raw" && figure.metric == "top1" && figure.eval_set == eval_set) {
      return figure.value;
    }
  }
  return std::nullopt;
}

CellRows::CellRows(const std::vector<answers::Cell>& cells, std::vector<std::string> eval_sets,
                   size_t width)
    : columns_(std::move(eval_sets)), model_width_(5), labeler_width_(6) {
  const auto has = [&](const char* name) {
    return std::find(columns_.begin(), columns_.end(), name) != columns_.end();
  };
  if (has("mixed_same") && has("mixed_rand")) columns_.push_back(kGap);
  for (const answers::Cell& cell : cells) {
    model_width_ = std::max(model_width_, display_width(model_text(cell)));
    labeler_width_ = std::max(labeler_width_, cell.labeler.size());
    several_seeds_ |= cell.seed != cells.front().seed;
  }
  const size_t names = model_width_ + 2 + labeler_width_ + (several_seeds_ ? kSeedWidth : 0);
  if (width > 0) keep_what_fits(columns_, width > names ? width - names : 0);
}

std::string CellRows::heading() const {
  std::string line = padded("model", model_width_) + "  " + padded("labels", labeler_width_);
  if (several_seeds_) line += padded("seed", kSeedWidth, Align::kRight);
  for (const std::string& column : columns_)
    line += padded(column, column_width(column), Align::kRight);
  return line;
}

std::string CellRows::row(const answers::Cell& cell) const {
  std::string line =
      padded(model_text(cell), model_width_) + "  " + padded(cell.labeler, labeler_width_);
  if (several_seeds_) {
    line += padded(std::to_string(cell.seed), kSeedWidth, Align::kRight);
  }
  for (const std::string& column : columns_) {
    line += padded(value_text(cell, column), column_width(column), Align::kRight);
  }
  return line;
}

std::vector<std::string> eval_sets_of(const std::vector<answers::Cell>& cells) {
  std::vector<std::string> sets;
  for (const answers::Cell& cell : cells) {
    for (const auto& figure : cell.figures) {
      if (std::find(sets.begin(), sets.end(), figure.eval_set) == sets.end()) {
        sets.push_back(figure.eval_set);
      }
    }
  }
  return sets;
}

}  // namespace remixer::coordinator::command
