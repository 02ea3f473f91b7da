// SPDX-License-Identifier: Apache-2.0
// Groups a study's cells to the rows of tables.
#pragma once

#include <string>
#include <vector>

#include "reports/study.h"

namespace remixer::reports {

// Cells that differ in nothing but the seed.
struct Model {
  std::vector<const StudyCell*> cells;  // one at least, by seed
  std::string labels;                   // as printed; told apart from another model's
  const StudyCell& cell() const { return *cells.front(); }
};

// What is trained alike stands in one table.
struct Setting {
  std::string train_set, recipe, precision;
  std::vector<Model> models;  // in the paper's order
};

// In the order of the grids. The models point into `study`.
std::vector<Setting> gather_settings(const Study& study);

}  // namespace remixer::reports
