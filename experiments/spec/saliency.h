// SPDX-License-Identifier: Apache-2.0
// Specs of saliency tasks.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"

namespace remixer::experiments {

// kSaliencyVersion (experiments/spec/task.h) is of maps of the cell's own data set; this, of
// another one, and of models whose patches vote (2: images are normalised as the model was trained,
// classes matched by name, answers given as evaluation gives them).
constexpr int64_t kOtherSaliencyVersion = 2;

// A saliency task's spec, of the images that the grid's [saliency] says; the rest as
// evaluate_spec()'s.
Json saliency_spec(const Json& cell_identity, const std::string& name, const std::string& split,
                   const Json& other_dataset, const Json& images);

}  // namespace remixer::experiments
