// SPDX-License-Identifier: Apache-2.0
// A column of a table drawn as dots with their 95 % intervals.
#pragma once

#include <string>

#include "reports/table.h"

namespace remixer::reports {

// Text with what HTML gives a meaning escaped, for element content and quoted attributes.
std::string html_escape(const std::string& text);

// An HTML <figure> with an inline SVG: one line a row, plain models hollow, ReMixer filled, a
// dotted line at the plain model's value of each block. Empty where no row has a figure in
// `column`.
std::string column_figure(const Table& table, size_t column);

}  // namespace remixer::reports
