// SPDX-License-Identifier: Apache-2.0
// Augments images in two steps, draw and apply, so that labels can
// follow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "core/augment/augmented_labels.h"
#include "core/augment/crop.h"
#include "core/augment/rand_augment.h"
#include "core/image/geometry.h"
#include "core/image/image.h"
#include "core/image/resample.h"
#include "experiments/spec/recipe.h"

namespace remixer::data {

// What a recipe says about images.
struct AugmentationSettings {
  int side = 0;  // pixels a side of what the model sees
  double evaluation_crop = 0.875;
  Filter evaluation_filter = Filter::kBicubic;
  // An image of the model's size is resized and cropped like any other, as timm and OAMixer's
  // released code do; else it is taken as it is.
  bool evaluation_resizes_all = false;
  std::optional<CropRange> crop;  // RandomResizedCrop; none: as in evaluation
  experiments::RandAugment rand_augment;
  double erasing = 0;
  bool erased_classes_stay = false;  // labels over classes say what stood where an image is erased
};

// Throws InputError where a lower bound lies above its upper one.
AugmentationSettings augmentation_settings(const experiments::Recipe& recipe, int side);

struct Augmentation {
  std::optional<Resizing> resizing;       // none: the image has the model's size already
  bool mirrored = false;                  // then
  std::vector<OperationDraw> operations;  // then
  std::optional<Rectangle> erased;        // after normalisation
};

// As evaluation sees an image: whole where it has the model's size, unless all are resized; else
// resized to its centre.
Augmentation plain_augmentation(const AugmentationSettings& settings, const ImageSize& image);
// Draws the crop, the operations and what is erased, in this order.
Augmentation draw_augmentation(const AugmentationSettings& settings, const ImageSize& image,
                               bool mirrored, Random& random);

// Decodes, crops, resizes, mirrors, and applies the operations: side × side pixels, not normalised.
// Throws as decode_image() does.
Image augment(const Augmentation& augmentation, std::string_view bytes, const std::string& name);
// The same for an image that is decoded already.
Image augment(const Augmentation& augmentation, const Image& image);

// Where the labels of that image (of this size before) come from.
View view_of(const Augmentation& augmentation, const ImageSize& image, int side);

}  // namespace remixer::data
