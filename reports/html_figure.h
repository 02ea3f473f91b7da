// SPDX-License-Identifier: Apache-2.0
// Draws a column of a table as dots with their 95 % intervals.
#pragma once

#include <string>

#include "reports/table.h"

namespace remixer::reports {

// Escapes text for HTML element content and quoted attributes.
std::string html_escape(const std::string& text);

// An HTML <figure> with an inline SVG: one line per row, plain models hollow, ReMixer
// filled, and a dotted line at each block's plain value. Empty if no row has a figure in
// `column`.
std::string column_figure(const Table& table, size_t column);

}  // namespace remixer::reports
