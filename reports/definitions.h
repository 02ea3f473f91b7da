// SPDX-License-Identifier: Apache-2.0
// What a table shows, as data: which rows, which columns, over what the gains are. The paper's are
// the files in reports/tables/; docs/reports.md describes the form, in which a user writes others.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace remixer::reports {

// What a table's figures are.
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
  // Accuracy: of the evaluation on one of the splits `sets` (or sets as the grid calls them), on
  // one of the kinds of data set `data`; the first that there is. Empty: any.
  std::vector<std::string> sets, data;
  bool own = false;   // only of the data set that the cell was trained on
  std::string minus;  // a split whose accuracy is taken away; empty: none
  std::string metric = "top1";
  int quarter = 0;  // kappa: of which quarter of the layers, 1 to 4
  // Which of the models of a row: with ReMixer or without. Empty: the row has one.
  std::optional<bool> remixer;
  std::string gain_over;  // another column's id, for gains within a row; empty: within the column
  bool key = false;       // the table stands where one of its key columns was evaluated
  bool ours = false;      // the paper lacks it
};

// Which models are rows. Empty: any.
struct RowDefinition {
  std::string name;  // "{model}" is the block's model: "DeiT-S"
  std::string id;    // for gain_over
  int line = 0;
  std::vector<std::string> architectures;
  std::string family, kernel;  // "deit"; "shared" or "full"
  bool other = false;          // architectures that no other row of the table names
  std::string prior = "none";  // "none", "convit", "any"
  std::optional<bool> remixer;
  std::optional<bool> token_labeling;  // where the table holds both
  std::vector<std::string> labels;     // kinds: "saliency", "class map", "boxes", "masks"
  std::vector<std::string> labelers;   // as the grid calls them
  std::string gain_over;               // a row's id; empty: the block's first row
  bool key = false;                    // the block stands where one of its key rows has a model
  bool ours = false;
  bool grey = false;
};

// Rows that stand together, once for each size of model that the grid holds.
struct BlockDefinition {
  std::string name;  // what is missing where the grid holds none of it: "MLP-Mixer"
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
  std::vector<std::string> prefer;             // kinds of data set that come first
  std::vector<ColumnDefinition> columns;
  std::vector<BlockDefinition> blocks;
};

// Reads one definition. Throws InputError "FILE:LINE: ..." on text that is not TOML, unknown keys
// and names (with a suggestion), values of a wrong type, and missing parts.
TableDefinition parse_table_definition(const std::string& text, const std::string& file);
TableDefinition read_table_definition(const std::filesystem::path& file);

// The paper's seven, in its order. Immutable.
const std::vector<TableDefinition>& table_definitions();

}  // namespace remixer::reports
