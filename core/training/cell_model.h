// SPDX-License-Identifier: Apache-2.0
// Makes a cell's model and opens its data set's splits.
#pragma once

#include <filesystem>
#include <string>

#include "core/dataset/dataset.h"
#include "core/models/evaluation_settings.h"
#include "core/models/model.h"
#include "experiments/spec/cell.h"

namespace remixer::training {

// Opens a split of the cell's dataset. Throws InputError where the folder holds another dataset
// than the cell's, or what Dataset::open says.
data::Dataset open_split(const Json& spec, const std::filesystem::path& folder,
                         const std::string& split);
data::Dataset open_split(const experiments::Cell& cell, const std::filesystem::path& folder,
                         const std::string& split);

// Pixels a side of what the cell's model sees: the recipe's, else the dataset's, else, where that
// holds images of many sizes, the architecture's.
int64_t image_size_of(const experiments::Cell& cell, const data::Dataset& dataset);

// The cell's model for that dataset's classes and the image size above. `token_classes`: see
// token_labeling.h; 0 leaves the extra head out.
models::ModelSpec model_spec(const experiments::Cell& cell, const data::Dataset& dataset,
                             int64_t token_classes = 0);

// How the cell's model is evaluated, `dataset` being a split of the one that it is trained on: what
// its weights' metadata say.
models::EvaluationSettings evaluation_settings(const experiments::Cell& cell,
                                               const data::Dataset& dataset);

}  // namespace remixer::training
