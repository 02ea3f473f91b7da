// SPDX-License-Identifier: Apache-2.0
// Ground truth of a data set's split, as base/predictions.h counts it. No
// LibTorch.
#pragma once

#include <string>
#include <vector>

#include "base/predictions.h"
#include "core/dataset/dataset.h"

namespace remixer::evaluation {

// For a model of these classes, read as class_reading() (settings.h) reads them. Throws InputError
// as that does.
Truth truth_of(const std::vector<std::string>& model_classes, const data::Dataset& dataset);

}  // namespace remixer::evaluation
