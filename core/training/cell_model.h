// SPDX-License-Identifier: Apache-2.0
// Creates a cell's model and opens its data set's splits.
#pragma once

#include <filesystem>
#include <string>

#include "core/dataset/dataset.h"
#include "core/models/evaluation_settings.h"
#include "core/models/model.h"
#include "experiments/spec/cell.h"

namespace remixer::training {

// Opens a split of the given data set. Throws InputError if the folder holds another one, and as
// Dataset::open.
data::Dataset open_split(const experiments::DatasetSpec& spec, const std::filesystem::path& folder,
                         const std::string& split);
data::Dataset open_split(const experiments::Cell& cell, const std::filesystem::path& folder,
                         const std::string& split);

// Side in pixels of the cell's model input: the recipe's, else the dataset's, else, if its images
// vary in size, the architecture's.
int64_t image_size_of(const experiments::Cell& cell, const data::Dataset& dataset);

// The cell's model for that dataset's classes and the image size above. `token_classes`: see
// token_labeling.h; 0: no extra head.
models::ModelSpec model_spec(const experiments::Cell& cell, const data::Dataset& dataset,
                             int64_t token_classes = 0);

// How to evaluate the cell's model; `dataset` is a split of its training dataset. Goes into the
// weights' metadata.
models::EvaluationSettings evaluation_settings(const experiments::Cell& cell,
                                               const data::Dataset& dataset);

}  // namespace remixer::training
