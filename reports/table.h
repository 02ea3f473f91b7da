// A table in the paper's form, filled: rows of models, columns of figures. Values are percent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/statistics.h"

namespace remixer::reports {

// Why a figure is missing.
enum class Missing {
  kNotInGrid,  // no task of the grid produces it
  kWaiting,    // its task has not begun
  kRunning,    // it, or the training before it, is under way
  kFailed,     // it, or what it depends on, failed
  kCancelled,
};
const char* to_string(Missing missing);  // "not in this grid", "waiting", "running", ...

struct Column {
  std::string id;       // "mixed_rand", "bg_gap"
  std::string heading;  // without its arrow
  bool lower_is_better = false;
  bool has_paper = false;  // some figure of this column has the paper's beside it

  std::string heading_with_arrow() const { return heading + (lower_is_better ? " ↓" : " ↑"); }
};

// One figure. `value` is empty where it is missing, and `missing` then says why.
struct Figure {
  std::optional<Estimate> value;  // over several seeds the mean
  std::optional<double> sd;       // over the seeds, where there are two or more
  int seeds = 0;                  // how many the value rests on
  int seeds_in_grid = 0;          // how many the grid asks for
  int64_t n = 0;                  // images of the set, the smaller one of a difference
  std::optional<Estimate> gain;   // over the block's reference row; empty in that row
  bool best = false;              // of its block and column, where two or more have a value
  Missing missing = Missing::kNotInGrid;
  std::optional<double> paper;  // the paper's own figure
};

struct Row {
  std::string model;                                 // "DeiT-nano", "+ ReMixer"
  std::string labels;                                // "ReLabel"; empty for a plain model
  std::string architecture, spatial_prior, labeler;  // as in the database
  bool starts_block = false;                         // a rule goes above it
  bool is_reference = false;                         // the block's gains are over it
  bool test_time_boxes = false;                      // its labels used boxes of the test images
  std::vector<Figure> figures;                       // one a column
};

struct Table {
  std::string id;     // "1"
  std::string name;   // its files' name: "table1", "table1_ema"
  std::string title;  // "Table 1. Background Challenge"
  std::string caption;
  std::string weights;  // "raw" or "ema"
  std::string train_set, recipe, precision;
  std::vector<Column> columns;
  std::vector<Row> rows;
  std::vector<std::string> notes;
};

}  // namespace remixer::reports
