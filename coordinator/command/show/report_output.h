// SPDX-License-Identifier: Apache-2.0
// Writes a grid's tables to the terminal and to files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "reports/report.h"

namespace remixer::coordinator::command {

enum class ReportFormat { kTable, kCsv, kJson, kMarkdown, kLatex, kHtml };

// <workspace>/reports/<grid>.
std::filesystem::path report_folder(const std::filesystem::path& workspace,
                                    const std::string& grid);

// Writes the grid's report into its folder, prints its tables and where the page is.
void write_and_print_report(const std::filesystem::path& workspace, const std::string& grid);

// The tables as text. `wanted`: tables' ids ("1"), all where empty; throws InputError for one that
// the report does not hold. HTML is the whole page, of the wanted tables.
std::string report_text(const reports::Report& report, const std::vector<std::string>& wanted,
                        ReportFormat format, bool colour);

}  // namespace remixer::coordinator::command
