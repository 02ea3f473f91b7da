// What is right on a data set's split, in the form that predictions are counted by
// (base/predictions.h). No LibTorch.
#pragma once

#include <cstdint>
#include <vector>

#include "base/predictions.h"
#include "core/dataset/dataset.h"

namespace remixer::evaluation {

// How each of a model's classes is read as one of the set's, by index; -1: as none. The classes
// themselves where they are as many. A model of ImageNet's 1000 on a nine-class set is read through
// ImageNet-9's table (core/dataset/imagenet_classes.h). Throws InputError on any other pair.
std::vector<int32_t> class_reading(int64_t model_classes, const data::Dataset& dataset);

// For a model of so many classes. Throws InputError as class_reading does.
Truth truth_of(int64_t model_classes, const data::Dataset& dataset);

}  // namespace remixer::evaluation
