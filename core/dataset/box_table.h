// SPDX-License-Identifier: Apache-2.0
// Reads tables of bounding boxes, as written by spreadsheets and other programs.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/dataset/dataset.h"

namespace remixer::data {

// The text without surrounding blanks and line ends.
std::string_view trimmed(std::string_view text);

// Parses "12", or "12.4" (some tools write such pixels), rounded. Empty if it is no pixel number.
std::optional<int> pixels(std::string_view text);

// One row. Width and height are the annotated image's, 0 if not given.
struct BoxRow {
  std::string image, object;  // `object` is empty if there is no such column
  Box box;
  int width = 0, height = 0;
};

// Reads a table's text: UTF-8 with or without a byte-order mark; columns separated by tabs,
// semicolons, commas or blanks; fields may be quoted. docs/datasets.md lists the formats. Calls
// `on_row` for each row, in order. Throws InputError with `name`, the line, and the error.
void read_box_table(std::string_view text, const std::string& name,
                    const std::function<void(BoxRow)>& on_row);

}  // namespace remixer::data
