// Fills the definitions with a study's figures.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "reports/definitions.h"
#include "reports/paper_numbers.h"
#include "reports/study.h"
#include "reports/table.h"

namespace remixer::reports {

struct Tables {
  std::vector<Table> tables;
  std::vector<std::string> left_out;  // one line a table without rows
};

// One table for each definition, for each training set, recipe and precision of the study, and for
// the moving averages' figures where there are any.
Tables build_tables(const Study& study, const std::vector<TableDefinition>& definitions,
                    std::span<const PaperNumber> paper);

}  // namespace remixer::reports
