// SPDX-License-Identifier: Apache-2.0
// Builds table `results`: every figure that no other table shows.
#pragma once

#include <set>
#include <vector>

#include "reports/definitions.h"
#include "reports/models.h"

namespace remixer::reports {

struct PlainTable {
  TableDefinition definition;  // without columns if nothing is left
  Setting setting;             // with the models that have figures to show
};

// Columns are the sets with evaluations that are not in `shown`, rows the models evaluated on them.
// Names and arrows come from `known`, if one of its columns has the set.
PlainTable plain_table(const Setting& setting, const std::vector<TableDefinition>& known,
                       const std::set<const Evaluation*>& shown);

}  // namespace remixer::reports
