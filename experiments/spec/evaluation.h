// SPDX-License-Identifier: Apache-2.0
// Evaluation settings of evaluate tasks, and how a task records them. No cell holds any of
// it.
#pragma once

#include <string>

#include "base/json.h"
#include "experiments/spec/task.h"

namespace remixer::experiments {

// kEvaluationVersion is of what evaluating on the cell's own data set means; this, on another one
// (2: images are normalised as the model was trained, classes matched by name).
constexpr int64_t kOtherDatasetEvaluationVersion = 2;

// How images of the model's size are seen: as they are; or as OAMixer's released code does it,
// which resizes and crops them like all others. A set that is seen so has another name.
inline constexpr const char* kWholeTransform = "whole";
inline constexpr const char* kReleasedTransform = "released";
inline constexpr const char* kReleasedSuffix = "@released";

// An evaluate task's spec. `name` is the set's, as the grid and the results call it, without the
// suffix above; `other_dataset` is null for the cell's own.
Json evaluate_spec(const Json& cell_identity, const std::string& name, const std::string& split,
                   const Json& other_dataset = nullptr,
                   const std::string& transform = kWholeTransform);

}  // namespace remixer::experiments
