// The paper's tables as data: which rows, which columns, over what the gains are.
#pragma once

#include <string>
#include <vector>

namespace remixer::reports {

// A column shows the accuracy on one evaluation set, or the difference of two.
struct ColumnDefinition {
  std::string id, heading;
  std::string eval_set;
  std::string minus_set;  // empty, or the set whose accuracy is taken away
  bool lower_is_better = false;
  std::string metric = "top1";
};

// Which cells are rows. Empty family: every architecture that no other definition knows. Empty
// kernel: any.
enum class Labels { kPlain, kWithRemixer };
struct RowSelector {
  std::string family;
  std::string kernel;
  std::string prior = "none";
  Labels labels = Labels::kPlain;
};

// Rows that stand together, once for each size of model that the grid holds. Gains are over the
// block's first row, which must be a plain model; the best of the block is in bold.
struct BlockDefinition {
  std::string label;  // what is missing when the grid holds none of it: "MLP-Mixer"
  std::vector<RowSelector> rows;
};

struct TableDefinition {
  std::string id, title, caption;
  std::vector<BlockDefinition> blocks;
  // The first choice of which a cell of the table is evaluated on any set.
  std::vector<std::vector<ColumnDefinition>> column_choices;
  // The table only makes sense when every selector of every block finds a row.
  bool needs_every_row = false;
  // Only labelers that every block has.
  bool common_labelers = false;
};

// In the paper's order.
const std::vector<TableDefinition>& table_definitions();

}  // namespace remixer::reports
