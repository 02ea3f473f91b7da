// SPDX-License-Identifier: Apache-2.0
// Ground truth of a data set's split, in the form of base/predictions.h.
// No LibTorch.
#pragma once

#include <string>
#include <vector>

#include "base/predictions.h"
#include "core/dataset/dataset.h"

namespace remixer::evaluation {

// For a model with these classes, mapped by class_reading() (settings.h). Throws InputError as that
// does.
Truth truth_of(const std::vector<std::string>& model_classes, const data::Dataset& dataset);

}  // namespace remixer::evaluation
