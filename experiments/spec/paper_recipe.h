// SPDX-License-Identifier: Apache-2.0
// The paper's recipe as a preset, and one-line descriptions of recipes.
#pragma once

#include <string>

#include "experiments/spec/recipe.h"

namespace remixer::experiments {

// The whole of it: the defaults of Recipe, with DeiT's augmentation of images.
Recipe paper_recipe();
// What is on of all that a recipe may turn on or off, for people: "300 epochs of 4 x 64 images,
// RandomResizedCrop, rand-m9-mstd0.5-inc1, ...".
std::string recipe_text(const Recipe& recipe);

}  // namespace remixer::experiments
