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
#include "experiments/spec/evaluation.h"
#include "experiments/spec/recipe.h"

namespace remixer::experiments {

// A value and the line that it stands on.
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

// [[evaluation]]: the sets that cells with these labelers are evaluated on.
struct EvaluationEntry {
  int line = 0;
  Axis<std::string> sets;
  std::optional<Axis<std::string>> labelers;  // without: all
  std::string transform = kWholeTransform;    // how images are seen (experiments/spec/evaluation.h)
};

// [saliency]: the images of a set whose saliency maps every cell draws.
struct SaliencyEntry {
  int line = 0;
  Located<std::string> set;
  Json images;  // as in a saliency task's spec
};

// A labeler under the name that the grid gives it.
struct NamedLabeler {
  Json entry;            // null for none
  std::string distance;  // empty for none
  std::string pinned{};  // the workspace's name of its weights or maps, where the grid gives one
};

// A dataset under the name that the grid gives it.
struct NamedDataset {
  Json entry;                                // as in a cell
  int64_t image_size = 0;                    // pixels a side; 0: of many sizes
  bool trains = true;                        // there is a split "train"
  std::vector<std::string> evaluation_sets;  // its other splits
  std::map<std::string, int64_t> images{};   // in each split; without those that are not known
  std::string kind{};                        // a builder's or a known data set's name, or empty
  std::string called{};                      // by the workspace; of imported ones
};

// What a grid names and the workspace does not hold yet.
struct MissingInput {
  std::string what;     // "dataset" or "weights"
  std::string name;     // what the workspace should call it
  std::string kind;     // a known data set's name, or the labeler; empty where that is not known
  std::string problem;  // "FILE:LINE: ...", one line
  std::string source;   // who publishes it and where; may be empty
  std::string command;  // what brings it
  double gigabytes = 0;
};

struct GridFile {
  std::string file;  // what messages call it
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
