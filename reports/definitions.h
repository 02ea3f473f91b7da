// SPDX-License-Identifier: Apache-2.0
// Table definitions as data: rows, columns, and what gains are relative to. The paper's are in
// reports/tables/; docs/reports.md describes the format, in which users can write their own.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace remixer::reports {

// The kind of figures in a table.
enum class Form {
  kAccuracy,  // percent, of evaluations
  kKappa,     // κ, of trainings
  kPicture,   // no figures: saliency maps
};
enum class Better { kNeither, kHigher, kLower };

struct ColumnDefinition {
  std::string id, heading;
  int line = 0;  // in the definition's file
  Better better = Better::kNeither;
  // Accuracy: the first evaluation on one of the splits `sets` (or sets by the grid's names) and
  // one of the data set kinds `data`. Empty: any.
  std::vector<std::string> sets, data;
  bool own = false;   // only the data set that the cell was trained on
  std::string minus;  // a split whose accuracy is subtracted; empty: none
  std::string metric = "top1";
  int quarter = 0;  // kappa: which quarter of the layers, 1 to 4
  // Which of a row's models: with ReMixer or without. Empty: the row has only one.
  std::optional<bool> remixer;
  std::string gain_over;  // another column's id, for gains within a row; empty: within the column
  bool key = false;       // the table exists if one of its key columns was evaluated
  bool ours = false;      // the paper lacks it
};

// Selects the models of a row. Empty: any.
struct RowDefinition {
  std::string name;  // "{model}" is the block's model: "DeiT-S"
  std::string id;    // for gain_over
  int line = 0;
  std::vector<std::string> architectures;
  std::string family, kernel;  // "deit"; "shared" or "full"
  bool other = false;          // architectures not named by any other row of the table
  std::string prior = "none";  // "none", "convit", "any"
  std::optional<bool> remixer;
  std::optional<bool> token_labeling;  // if the table contains both
  std::vector<std::string> labels;     // kinds: "saliency", "class map", "boxes", "masks"
  std::vector<std::string> labelers;   // by the grid's names
  std::string gain_over;               // a row's id; empty: the block's first row
  bool key = false;                    // the block exists if one of its key rows has a model
  bool ours = false;
  bool grey = false;
};

// Rows that belong together, repeated for each model size in the grid.
struct BlockDefinition {
  std::string name;  // reported as missing if the grid has none of it: "MLP-Mixer"
  std::vector<RowDefinition> rows;
};

enum class Bold { kNone, kBlock, kColumn };  // the best of each block, or of the column

struct TableDefinition {
  std::string file;  // for messages
  std::string id, title, caption;
  Form form = Form::kAccuracy;
  bool numbered = false;  // one of the paper's
  bool labeler_column = false;
  bool arrows = true;
  Bold bold = Bold::kNone;
  int decimals = 2;
  std::optional<bool> token_labeling = false;  // of the cells; empty: any
  std::vector<std::string> prefer;             // kinds of data set to prefer, in order
  std::vector<ColumnDefinition> columns;
  std::vector<BlockDefinition> blocks;
};

// Parses one definition. Throws InputError "FILE:LINE: ..." on text that is not TOML, unknown keys
// and names (with a suggestion), values of a wrong type, and missing parts.
TableDefinition parse_table_definition(const std::string& text, const std::string& file);
TableDefinition read_table_definition(const std::filesystem::path& file);

// The paper's seven tables, in its order. Immutable.
const std::vector<TableDefinition>& table_definitions();

}  // namespace remixer::reports
