// SPDX-License-Identifier: Apache-2.0
// Augments images in two steps (draw, then apply), so that labels can be
// transformed alike.
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

// A recipe's image settings.
struct AugmentationSettings {
  int side = 0;  // side of the model's input, in pixels
  double evaluation_crop = 0.875;
  Filter evaluation_filter = Filter::kBicubic;
  // True: an image of the model's size is resized and cropped like any other, as timm and OAMixer's
  // released code do. False: it is used unchanged.
  bool evaluation_resizes_all = false;
  std::optional<CropRange> crop;  // RandomResizedCrop; none: as in evaluation
  experiments::RandAugment rand_augment;
  double erasing = 0;
  bool erased_classes_stay = false;  // class labels keep the classes of erased areas
};

// Throws InputError if a lower bound exceeds its upper bound.
AugmentationSettings augmentation_settings(const experiments::Recipe& recipe, int side);

struct Augmentation {
  std::optional<Resizing> resizing;       // none: the image already has the model's size
  bool mirrored = false;                  // then
  std::vector<OperationDraw> operations;  // then
  std::optional<Rectangle> erased;        // after normalisation
};

// The evaluation view of an image: the whole image if it has the model's size (unless all are
// resized), else resized and centre-cropped.
Augmentation plain_augmentation(const AugmentationSettings& settings, const ImageSize& image);
// Draws the crop, the operations and the erased rectangle, in this order.
Augmentation draw_augmentation(const AugmentationSettings& settings, const ImageSize& image,
                               bool mirrored, Random& random);

// Decodes, crops, resizes, mirrors, and applies the operations: side × side pixels, not normalised.
// Throws as decode_image() does.
Image augment(const Augmentation& augmentation, std::string_view bytes, const std::string& name);
// The same for a decoded image.
Image augment(const Augmentation& augmentation, const Image& image);

// Where the labels of that image come from; `image` is its size before.
View view_of(const Augmentation& augmentation, const ImageSize& image, int side);

}  // namespace remixer::data
