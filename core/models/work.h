// SPDX-License-Identifier: Apache-2.0
// Counts the multiply-adds of a model's forward pass.
#pragma once

#include "core/models/model.h"

namespace remixer::models {

// Multiply-adds of one image's forward pass in matrix products and convolutions, counted as in
// publications: each weight at every place it is used, plus attention's two products. ReMixer's
// extra work is excluded, so a masked model counts the same as its plain twin.
double multiply_adds(const Model& model);

}  // namespace remixer::models
