// The paper's own figures, shown beside ours where a row and a column match one.
#pragma once

#include <string_view>
#include <vector>

namespace remixer::reports {

// All fields but `value` are matched exactly: names as in the database, `column` a column's id.
struct PaperNumber {
  std::string_view table, train_set, architecture, spatial_prior, labeler, column;
  double value;  // percent
};

// Empty while no grid trains what the paper trained.
const std::vector<PaperNumber>& paper_numbers();

}  // namespace remixer::reports
