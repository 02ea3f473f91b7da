// SPDX-License-Identifier: Apache-2.0
// A parsed and checked grid file, before its axes are multiplied out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "experiments/spec/recipe.h"
#include "experiments/spec/task_spec.h"

namespace remixer::experiments {

// A value and its line in the file.
template <typename T>
struct Located {
  T value{};
  int line = 0;
};
template <typename T>
using Axis = std::vector<Located<T>>;

// [[cells]]: every combination of the axes' values.
struct CellsBlock {
  int line = 0;
  Axis<std::string> architectures, spatial_priors, labelers, datasets, recipes, precisions;
  Axis<int64_t> seeds;
};

// The name of an evaluation set as grids write it: "SPLIT" of the cell's own data set,
// "DATASET/SPLIT", or "DATASET" alone if that has one evaluation set.
struct SetName {
  explicit SetName(const std::string& text) : first(text.substr(0, text.find('/'))) {
    if (first.size() < text.size()) split = text.substr(first.size() + 1);
  }
  std::string first;                 // a split or a data set
  std::optional<std::string> split;  // what stands behind the "/"
};

// [[evaluation]]: the sets on which cells with these labelers are evaluated.
struct EvaluationEntry {
  int line = 0;
  Axis<std::string> sets;
  std::optional<Axis<std::string>> labelers;  // if absent: all
  std::string transform = kWholeTransform;    // see experiments/spec/task_spec.h
};

// [saliency]: the images of a set for which saliency maps are drawn for every cell.
struct SaliencyEntry {
  int line = 0;
  Located<std::string> set;
  SaliencyImages images;
};

// A labeler under its name in the grid.
struct NamedLabeler {
  std::optional<LabelerSpec> spec;  // none: a plain model
  std::string distance;             // empty for none
  std::string pinned{};  // the workspace's name of its weights or maps, if the grid gives one
};

// A dataset under its name in the grid.
struct NamedDataset {
  DatasetSpec spec;
  int64_t image_size = 0;                    // pixels a side; 0: images vary in size
  bool trains = true;                        // it has a split "train"
  std::vector<std::string> evaluation_sets;  // its other splits
  std::map<std::string, int64_t> images{};   // per split; unknown ones are left out
  std::string kind{};                        // name of a builder or known data set, or empty
  std::string called{};                      // the workspace's name, if imported
};

// An input that the grid uses and the workspace does not have yet.
struct MissingInput {
  std::string what;     // "dataset" or "weights"
  std::string name;     // its name in the workspace
  std::string kind;     // a known data set's name, or the labeler; empty if unknown
  std::string problem;  // "FILE:LINE: ...", one line
  std::string source;   // who publishes it and where; may be empty
  std::string command;  // command that gets it
  double gigabytes = 0;
};

struct GridFile {
  std::string file;  // its name in messages
  std::string text;
  std::string name, description;
  std::map<std::string, NamedDataset> datasets;
  std::map<std::string, NamedLabeler> labelers;  // the known ones, "none", and the file's own
  std::map<std::string, Recipe> recipes;
  std::vector<CellsBlock> cells;
  std::vector<EvaluationEntry> evaluations;
  std::optional<SaliencyEntry> saliency;
  std::vector<MissingInput> missing;

  // Throws InputError "FILE:LINE: ...".
  template <typename... Args>
  [[noreturn]] void fail_at(int line, fmt::format_string<Args...> format, Args&&... args) const {
    throw InputError(
        fmt::format("{}:{}: {}", file, line, fmt::format(format, std::forward<Args>(args)...)));
  }
};

}  // namespace remixer::experiments
