// SPDX-License-Identifier: Apache-2.0
// One definition, one setting, one kind of weights: one table.
#pragma once

#include <set>
#include <string>

#include "reports/build_tables.h"
#include "reports/models.h"

namespace remixer::reports {

// Fills columns, rows and notes of `table`, whose names are set. False, with the reason, where the
// setting has no such table. What stands in it is added to `shown`.
bool fill_table(const TableDefinition& definition, const Setting& setting,
                const BuildOptions& options, Table& table, std::set<const Evaluation*>& shown,
                std::string& reason);

}  // namespace remixer::reports
