// SPDX-License-Identifier: Apache-2.0
// Chooses and orders the rows of a table.
#pragma once

#include <string>
#include <vector>

#include "reports/definitions.h"
#include "reports/models.h"

namespace remixer::reports {

// Which rows and columns that the paper lacks are included in tables.
enum class Extras { kNone, kRows, kAll };

struct PlacedRow {
  const RowDefinition* definition = nullptr;
  // With ReMixer and without; both are set only if the columns distinguish them (Table 6).
  const Model* plain = nullptr;
  const Model* remixer = nullptr;
  std::string block, name, labels;
  bool starts_block = false;
  bool is_reference = false;
  bool ours = false;
  int reference = -1;  // the row that its gains are relative to; -1: none
  const Model& model() const { return remixer ? *remixer : *plain; }
};

struct PlacedRows {
  std::vector<PlacedRow> rows;      // empty if the models do not make this table
  std::vector<std::string> absent;  // names of blocks without a row
};

// The rows point into `definition` and `models`.
PlacedRows place_rows(const TableDefinition& definition, const std::vector<Model>& models,
                      Extras extras);

}  // namespace remixer::reports
