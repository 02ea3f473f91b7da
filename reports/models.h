// SPDX-License-Identifier: Apache-2.0
// Groups a study's cells into models, the rows of tables.
#pragma once

#include <string>
#include <vector>

#include "reports/study.h"

namespace remixer::reports {

// Cells that differ only in the seed.
struct Model {
  std::vector<const StudyCell*> cells;  // at least one, by seed
  std::string labels;                   // as printed; unique among models
  const StudyCell& cell() const { return *cells.front(); }
};

// Models that were trained alike; they share a table.
struct Setting {
  std::string train_set, recipe, precision;
  std::vector<Model> models;  // in the paper's order
};

// In the order of the grids. The models point into `study`.
std::vector<Setting> gather_settings(const Study& study);

}  // namespace remixer::reports
