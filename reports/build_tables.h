// SPDX-License-Identifier: Apache-2.0
// Builds tables from their definitions and a study's figures.
#pragma once

#include <string>
#include <vector>

#include "reports/compare.h"
#include "reports/definitions.h"
#include "reports/place_rows.h"
#include "reports/study.h"
#include "reports/table.h"

namespace remixer::reports {

struct BuildOptions {
  Extras extras = Extras::kRows;
  bool paper = false;  // show the paper's numbers beside ours
  ReadCorrect read;    // stored predictions; empty: none
};

struct Tables {
  std::vector<Table> tables;
  std::vector<std::string> left_out;  // tables without rows, one line each
};

// Builds one table per definition, for each training set, recipe and precision of the study, and
// again for the moving averages' figures, if there are any; last, for each of these, a plain table
// of the figures that no other table shows ("results"). A definition of a picture gives no table.
Tables build_tables(const Study& study, const std::vector<TableDefinition>& definitions,
                    const BuildOptions& options);

// Builds a user's own definition: as above, without the plain table. Throws InputError "FILE:LINE:
// ..." if a column names a set that the grids do not evaluate on, or no row matches a model.
Tables build_own_table(const Study& study, const TableDefinition& definition,
                       const BuildOptions& options);

}  // namespace remixer::reports
