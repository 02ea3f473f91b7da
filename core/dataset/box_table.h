// SPDX-License-Identifier: Apache-2.0
// Reads tables of bounding boxes, as spreadsheets and other programs write them.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/dataset/dataset.h"

namespace remixer::data {

// Text without blanks and line ends around it.
std::string_view trimmed(std::string_view text);

// "12", or "12.4" as some tools write pixels, rounded. Nothing where it is no number of pixels.
std::optional<int> pixels(std::string_view text);

// One row. Width and height are those of the image that was annotated, 0 where they are not said.
struct BoxRow {
  std::string image, object;  // `object` is empty where no column says it
  Box box;
  int width = 0, height = 0;
};

// Reads a table's text: UTF-8 with or without a byte-order mark; tabs, semicolons, commas or blanks
// between columns; fields may be quoted. The forms are those that docs/datasets.md names. Calls
// `on_row` for each row, in order. Throws InputError with `name`, the line, and what is wrong.
void read_box_table(std::string_view text, const std::string& name,
                    const std::function<void(BoxRow)>& on_row);

}  // namespace remixer::data
