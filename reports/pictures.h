// SPDX-License-Identifier: Apache-2.0
// Chooses the saliency maps that Table 4 shows side by side, and draws them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "reports/study.h"

namespace remixer::reports {

// One picture: a plain model and the same model with ReMixer, on the same images.
struct Picture {
  std::string name;     // of its file: "table4_deit-s"
  std::string heading;  // "DeiT-S"
  std::string caption;
  std::string alt;  // its content in words
  struct Column {
    std::string heading, file;  // below the workspace
  };
  std::vector<Column> columns;
  std::string png;  // the file's bytes
};

struct Pictures {
  std::vector<Picture> pictures;      // DeiT's first, then those the paper lacks
  std::vector<std::string> left_out;  // one line each: what could not be drawn, and why
};

// Uses finished saliency tasks of the study's cells: for each architecture and training setting the
// plain model and those with ReMixer, of the smallest seed that has both, or else of the smallest
// seed. `tools` is remixer-tools,
// which draws them; if it or a file is missing, `left_out` says so. Throws Error if the database
// cannot be read.
Pictures make_pictures(const Study& study, const std::filesystem::path& database,
                       const std::filesystem::path& workspace, const std::filesystem::path& tools);

}  // namespace remixer::reports
