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

// Writes the grid's report into its folder; prints its tables and the path of the page.
void write_and_print_report(const std::filesystem::path& workspace, const std::string& grid);

// The tables as text. `wanted`: ids of tables ("1"), empty: all; throws InputError for an id that
// the report does not have. HTML gives the whole page with the wanted tables.
std::string report_text(const reports::Report& report, const std::vector<std::string>& wanted,
                        ReportFormat format, bool colour);

}  // namespace remixer::coordinator::command
