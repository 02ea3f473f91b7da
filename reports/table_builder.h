// SPDX-License-Identifier: Apache-2.0
// Builds one table, for one definition, one setting and one kind of weights.
#pragma once

#include <set>
#include <string>

#include "reports/build_tables.h"
#include "reports/models.h"

namespace remixer::reports {

// Fills columns, rows and notes of `table`, whose names are already set. Returns false, with the
// reason, if the setting has no such table. Evaluations shown in it are added to `shown`.
bool fill_table(const TableDefinition& definition, const Setting& setting,
                const BuildOptions& options, Table& table, std::set<const Evaluation*>& shown,
                std::string& reason);

}  // namespace remixer::reports
