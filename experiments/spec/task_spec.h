// SPDX-License-Identifier: Apache-2.0
// Task specs by kind: written to JSON, whose hash is the task's id, and read back.
//
// A cell's identity is part of its tasks' specs but is sent separately; so the readers ignore
// "cell", and the writers take it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "experiments/spec/cell.h"
#include "experiments/spec/component_spec.h"

namespace remixer::experiments {

// Versions of evaluation and of drawing saliency maps. The first applies to the cell's own data
// set. The second applies to other data sets (images are normalised as in training, classes matched
// by name) and to saliency maps of models whose patches vote (answers are computed as in
// evaluation).
constexpr int64_t kEvaluationVersion = 1, kOtherDatasetEvaluationVersion = 2;
constexpr int64_t kSaliencyVersion = 1, kOtherSaliencyVersion = 2;

// How images of the model's size are seen: unchanged; or as in OAMixer's released code, which
// resizes and crops them like all others. A set seen that way has a suffix in its name.
inline constexpr const char* kWholeTransform = "whole";
inline constexpr const char* kReleasedTransform = "released";
inline constexpr const char* kReleasedSuffix = "@released";

// {"kind": "prepare", "dataset"}: builds a data set, or checks that an imported one exists.
struct PrepareSpec {
  DatasetSpec dataset;
};

// {"kind": "label", "dataset", "split", "labeler"}: makes the patch labels of one split.
struct LabelSpec {
  DatasetSpec dataset;
  std::string split;  // "train" or an evaluation set
  LabelerSpec labeler;
};

// A set of images on which a trained cell is evaluated or explained.
struct ShownSet {
  std::string name;                            // its name in the grid and in the results
  std::string split;                           // of the data set
  std::optional<DatasetSpec> other_dataset{};  // if absent: the cell's own
};

// {"kind": "evaluate", "cell", "eval_set", "version"}; for another data set also "dataset", for
// another transform "transform", and for either one "split". `set.name` is without kReleasedSuffix
// when written, and with it when read.
struct EvaluateSpec {
  ShownSet set;
  std::string transform = kWholeTransform;
};

// The images whose saliency maps are drawn: these, or `count` drawn by `seed`.
struct SaliencyImages {
  std::vector<std::string> names{};  // "original/val/..."
  int64_t count = 0, seed = 0;       // if there are no names
};
constexpr int64_t kMostSaliencyImages = 64;  // per task
Json write_value(const SaliencyImages& images);
// Throws InputError if there are none, or more than kMostSaliencyImages.
void read_value(const Json& json, const Place& place, SaliencyImages& images);

// {"kind": "saliency", "cell", "eval_set", "images", "version"}; for another data set also
// "dataset" and "split".
struct SaliencySpec {
  ShownSet set;
  SaliencyImages images;
};

// Not to_json: with two arguments it would meet nlohmann's own, to_json(json&, value).
Json spec_json(const PrepareSpec& spec);
Json spec_json(const LabelSpec& spec);
Json train_spec(const Json& cell_identity);  // {"kind": "train", "cell"}
Json spec_json(const EvaluateSpec& spec, const Json& cell_identity);
Json spec_json(const SaliencySpec& spec, const Json& cell_identity);

// Each throws InputError naming the field if one is missing, of a wrong type, or unknown.
PrepareSpec prepare_spec(const Json& json);
LabelSpec label_spec(const Json& json);
void check_train_spec(const Json& json);
EvaluateSpec evaluate_spec(const Json& json);
SaliencySpec saliency_spec(const Json& json);

}  // namespace remixer::experiments
