// SPDX-License-Identifier: Apache-2.0
// Counts the arithmetic of a model's pass.
#pragma once

#include "core/models/model.h"

namespace remixer::models {

// Multiply-adds of one image's forward pass in matrix products and convolutions, as published
// figures count them: weights at each place that they are used, and attention's two products. What
// ReMixer adds is left out, so that a masked model is measured by its plain twin's work.
double multiply_adds(const Model& model);

}  // namespace remixer::models
