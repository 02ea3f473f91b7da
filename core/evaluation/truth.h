// SPDX-License-Identifier: Apache-2.0
// What is right on a data set's split, in the form that predictions are counted by
// (base/predictions.h). No LibTorch.
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
