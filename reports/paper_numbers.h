// SPDX-License-Identifier: Apache-2.0
// The paper's own figures, reports/paper/paper_tables.csv, and the one map between its names and
// ours.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reports/table.h"

namespace remixer::reports {

struct PaperNumber {
  std::string table, model, labeler, column;  // as the file calls them
  double value = 0;
  std::optional<double> gain;
  bool bold = false;
};
const std::vector<PaperNumber>& paper_numbers();

// What the paper's file calls a row of the table; empty where it has no such row: another
// architecture, or labels of another network ("U²-Netp" is not "BigBiGAN").
struct PaperRow {
  std::string model, labeler;
};
std::optional<PaperRow> paper_row(const Table& table, const Row& row);

// Null where the paper has none.
const PaperNumber* find_paper_number(const Table& table, const Row& row, const Column& column);

}  // namespace remixer::reports
