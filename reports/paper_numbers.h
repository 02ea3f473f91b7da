// SPDX-License-Identifier: Apache-2.0
// The paper's own figures (reports/paper/paper_tables.csv), and the mapping between its names and
// ours.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reports/table.h"

namespace remixer::reports {

struct PaperNumber {
  std::string table, model, labeler, column;  // as in the file
  double value = 0;
  std::optional<double> gain;
  bool bold = false;
};
const std::vector<PaperNumber>& paper_numbers();

// The paper file's names for a row of the table; empty if it has no such row: another architecture,
// or another network's labels ("U²-Netp" is not "BigBiGAN").
struct PaperRow {
  std::string model, labeler;
};
std::optional<PaperRow> paper_row(const Table& table, const Row& row);

// Null if the paper has none.
const PaperNumber* find_paper_number(const Table& table, const Row& row, const Column& column);

}  // namespace remixer::reports
