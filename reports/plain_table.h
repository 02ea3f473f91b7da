// SPDX-License-Identifier: Apache-2.0
// The table `results`: every figure that no other table shows.
#pragma once

#include <set>
#include <vector>

#include "reports/definitions.h"
#include "reports/models.h"

namespace remixer::reports {

struct PlainTable {
  TableDefinition definition;  // without columns where nothing is left
  Setting setting;             // with the models that have something to show
};

// Its columns are the sets with evaluations that are not in `shown`, its rows the models that were
// evaluated on them. Names and arrows are taken from `known` where one of them has the set.
PlainTable plain_table(const Setting& setting, const std::vector<TableDefinition>& known,
                       const std::set<const Evaluation*>& shown);

}  // namespace remixer::reports
