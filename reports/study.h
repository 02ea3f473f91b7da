// SPDX-License-Identifier: Apache-2.0
// Reads the cells and figures of grids from the database in one pass.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "reports/row_names.h"

namespace remixer::reports {

struct StudyFigure {
  double value = 0;  // percent
  int64_t n = 0;     // images
};

// One evaluation of a cell, done or not.
struct Evaluation {
  std::string task_id, state;
  std::string eval_set;            // the grid's name for it: "mixed_rand", "shifted/val"
  std::string split;               // in its data set
  std::string kind;                // of its data set (reports/data_kinds.h); empty: not known
  std::string dataset;             // identifies its data set
  std::string transform;           // how its images are transformed; empty: not at all
  bool own = true;                 // its data set is the one that the cell was trained on
  std::string predictions;         // file below the workspace; empty until done
  std::string predictions_sha256;  // its hash; empty for older results
  // By (weights, metric).
  std::map<std::pair<std::string, std::string>, StudyFigure> figures;
};

struct StudyCell {
  std::string id, architecture, spatial_prior, labeler, train_set, recipe, precision;
  int64_t seed = 0;
  // Derived from its identity.
  ModelName name;
  LabelerName labels;       // labels that it was trained on
  bool is_remixer = false;  // its patches are masked by them
  bool token_labeling = false;
  bool papers_train_set = false;  // trained on what the paper trained on
  std::string train_kind;         // kind of the training data set
  std::string but_seed;           // identity without the seed: equal for seeds of one model
  std::string setting;            // the part of the identity that says how it was trained
  // Its training.
  std::string train_task, train_state;
  std::vector<double> kappa;  // by block, at the end of training
  std::string model;          // its checkpoint, a file below the workspace; empty until done
  std::vector<Evaluation> evaluations;
};

struct Study {
  std::vector<std::string> grids;
  std::vector<int64_t> grid_ids;
  std::vector<StudyCell> cells;  // in the grids' order, each once
  int64_t figures = 0;           // committed, of these cells
  double newest = 0;             // when the newest result was committed; seconds since 1970
  double train_seconds = 0;      // of finished attempts, in wall-clock time
};

// `grids`: names (the newest submit of each) or submit numbers; none: the newest grid. `workspace`
// contains datasets/, whose manifests identify imported sets. Throws InputError: no file, no such
// database, another version, no such grid, an impossible figure.
Study read_study(const std::filesystem::path& database, const std::vector<std::string>& grids,
                 const std::filesystem::path& workspace);

// Supported versions of the database schema.
inline constexpr int kOldestSchema = 3, kNewestSchema = 4;

}  // namespace remixer::reports
