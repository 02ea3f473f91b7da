// Which models are the rows of a table, in what order and under what names.
#pragma once

#include <string>
#include <vector>

#include "reports/definitions.h"
#include "reports/models.h"

namespace remixer::reports {

struct PlacedRow {
  const Model* model;
  bool starts_block;
  bool is_reference;  // the block's gains are over it
  std::string label;
};

struct PlacedRows {
  std::vector<PlacedRow> rows;      // none where the models do not make this table
  std::vector<std::string> absent;  // labels of blocks without a row
};

// The rows point into `models`.
PlacedRows place_rows(const TableDefinition& definition, const std::vector<Model>& models);

}  // namespace remixer::reports
