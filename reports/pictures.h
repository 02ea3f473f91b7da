// SPDX-License-Identifier: Apache-2.0
// Table 4: chooses saliency maps to show side by side, and draws them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "reports/study.h"

namespace remixer::reports {

// One picture of a block: a plain model and the same with ReMixer, on the same images.
struct Picture {
  std::string name;     // its file's: "table4_deit-s"
  std::string heading;  // "DeiT-S"
  std::string caption;
  std::string alt;  // what it shows, in words
  struct Column {
    std::string heading, file;  // below the workspace
  };
  std::vector<Column> columns;
  std::string png;  // its bytes
};

struct Pictures {
  std::vector<Picture> pictures;      // DeiT's first, then those that the paper lacks
  std::vector<std::string> left_out;  // one line each: what could not be drawn, and why
};

// From the saliency tasks of the study's cells that are done: for each architecture and training
// setting the plain model and those with ReMixer, of the smallest seed that has both. `tools` is
// remixer-tools, which draws them; where it is not there, or a file is missing, `left_out` says so.
// Throws Error where the database cannot be read.
Pictures make_pictures(const Study& study, const std::filesystem::path& database,
                       const std::filesystem::path& workspace, const std::filesystem::path& tools);

}  // namespace remixer::reports
