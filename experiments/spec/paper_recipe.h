// SPDX-License-Identifier: Apache-2.0
// The paper's recipe as a preset, and one-line descriptions of recipes.
#pragma once

#include <string>

#include "experiments/spec/recipe.h"

namespace remixer::experiments {

// The complete recipe: the defaults of Recipe plus DeiT's image augmentation.
Recipe paper_recipe();
// The active options of a recipe, for people: "300 epochs of 4 x 64 images, RandomResizedCrop,
// rand-m9-mstd0.5-inc1, ...".
std::string recipe_text(const Recipe& recipe);

}  // namespace remixer::experiments
