// SPDX-License-Identifier: Apache-2.0
// A filled table in the paper's form: rows of models, columns of figures.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/definitions.h"
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
  Better better = Better::kNeither;
  bool arrow = true;
  bool ours = false;       // the paper lacks it
  bool has_paper = false;  // some figure of this column has the paper's beside it

  bool lower_is_better() const { return better == Better::kLower; }
  std::string heading_with_arrow() const {
    std::string text = heading;
    if (arrow && better != Better::kNeither) text += lower_is_better() ? " ↓" : " ↑";
    return text + (ours ? "‡" : "");
  }
};

// How a comparison was made.
enum class Basis {
  kPaired,       // one seed: on the stored predictions of the same images
  kSeedPairs,    // Student's t over pairs of equal seeds
  kIndependent,  // from the two figures' own intervals
};
const char* to_string(Basis basis);  // "paired", "seeds", "independent"

// A difference of two figures with its 95 % interval.
struct Gain : Estimate {
  double printed = 0;  // the difference of the two figures as printed
  Basis basis = Basis::kIndependent;
  std::optional<double> p;    // two-sided: exact McNemar, or Student's t
  bool within_noise = false;  // it cannot be told from zero at the 5 % level
  int pairs = 0;              // of seeds
};

// One seed's contribution to a figure.
struct Part {
  std::string cell_id;
  int64_t seed = 0;
  std::string task, minus_task;  // evaluations, or the training for κ; the latter may be empty
  std::string predictions, minus_predictions;  // files below the workspace
  std::string dataset;                         // the images' data set
  double value = 0;
  Estimate interval;  // of this seed alone
};

// One figure. If `value` is empty, `missing` says why.
struct Figure {
  std::optional<Estimate> value;   // with several seeds, the mean
  std::optional<double> sd;        // over the seeds, if there are two or more
  int seeds = 0;                   // number of seeds behind the value
  int seeds_in_grid = 0;           // number of seeds in the grid
  int64_t n = 0;                   // images of the set; for a difference, of the smaller set
  std::optional<Gain> gain;        // empty in the reference row
  bool best = false;               // in bold
  bool best_within_noise = false;  // the runner-up cannot be told from it
  bool released = false;           // the images were transformed as in the released code
  bool released_beside = false;    // the same set was also evaluated that way
  Missing missing = Missing::kNotInGrid;
  std::optional<double> paper;  // the paper's figure
  std::vector<Part> parts;      // by seed; those that have a value
};

struct Row {
  std::string block;   // the block's plain model: "DeiT-S"
  std::string model;   // as printed: "DeiT-S", "+ ReMixer (ours)"
  std::string labels;  // the labels' network: "BigBiGAN"; empty for a plain model
  std::string architecture, spatial_prior, labeler;  // as in the database
  bool is_remixer = false;
  bool starts_block = false;     // a rule is drawn above it
  bool is_reference = false;     // the block's gains are relative to it
  bool test_time_boxes = false;  // its labels used boxes of the test images
  bool ours = false;             // the paper lacks it
  bool grey = false;
  bool names_labels = false;    // tables without a column for it print the labeler with the name
  std::vector<Figure> figures;  // one per column
};

struct Table {
  std::string id;     // "1"; "results" for what no other table shows
  std::string name;   // of its files: "table1", "table1_ema"
  std::string title;  // "Table 1. Background Challenge"
  std::string caption;
  std::string weights;  // "raw" or "ema"
  std::string train_set, recipe, precision;
  Form form = Form::kAccuracy;
  bool labeler_column = false;
  int decimals = 2;
  std::vector<Column> columns;
  std::vector<Row> rows;
  std::vector<std::string> notes;
};

}  // namespace remixer::reports
