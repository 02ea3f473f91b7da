// SPDX-License-Identifier: Apache-2.0
#include "core/augment/augmentation.h"

#include <algorithm>

#include "base/error.h"
#include "core/augment/erasing.h"
#include "core/image/image_decode.h"

namespace remixer::data {
namespace {

void mirror(Image& image) {
  for (int y = 0; y < image.height; ++y) {
    for (int left = 0, right = image.width - 1; left < right; ++left, --right) {
      std::swap_ranges(image.at(left, y), image.at(left, y) + 3, image.at(right, y));
    }
  }
}

Image finish(const Augmentation& augmentation, Image image) {
  if (augmentation.mirrored) mirror(image);
  for (const OperationDraw& draw : augmentation.operations) apply_operation(draw, image);
  return image;
}

void check_order(const char* name, double low, double high) {
  if (low > high) {
    fail_input("recipe.{}_low is {}, above recipe.{}_high, which is {}; exchange them", name, low,
               name, high);
  }
}

}  // namespace

AugmentationSettings augmentation_settings(const experiments::Recipe& recipe, int side) {
  check_order("crop_area", recipe.crop_area_low, recipe.crop_area_high);
  check_order("crop_ratio", recipe.crop_ratio_low, recipe.crop_ratio_high);
  AugmentationSettings settings;
  settings.side = side;
  settings.evaluation_crop = recipe.evaluation_crop;
  if (recipe.random_resized_crop) {
    settings.crop = {recipe.crop_area_low, recipe.crop_area_high, recipe.crop_ratio_low,
                     recipe.crop_ratio_high};
  }
  settings.rand_augment =
      experiments::parse_rand_augment(recipe.rand_augment, "recipe.rand_augment");
  settings.erasing = recipe.random_erasing;
  settings.erased_classes_stay = recipe.erased_labels == "kept";
  return settings;
}

Augmentation plain_augmentation(const AugmentationSettings& settings, const ImageSize& image) {
  Augmentation augmentation;
  if (settings.evaluation_resizes_all || image != ImageSize{settings.side, settings.side}) {
    augmentation.resizing = centre_resizing(image, settings.side, settings.evaluation_crop);
    augmentation.resizing->filter = settings.evaluation_filter;
  }
  return augmentation;
}

Augmentation draw_augmentation(const AugmentationSettings& settings, const ImageSize& image,
                               bool mirrored, Random& random) {
  Augmentation augmentation = plain_augmentation(settings, image);
  if (settings.crop) {
    augmentation.resizing = crop_resizing(draw_crop(*settings.crop, image, random), settings.side);
  }
  augmentation.mirrored = mirrored;
  if (settings.rand_augment.operations > 0) {
    augmentation.operations = draw_rand_augment(settings.rand_augment, random);
  }
  if (settings.erasing > 0) {
    augmentation.erased = draw_erasing(settings.erasing, settings.side, random);
  }
  return augmentation;
}

Image augment(const Augmentation& augmentation, std::string_view bytes, const std::string& name) {
  return finish(augmentation, augmentation.resizing
                                  ? decode_resized(bytes, name, *augmentation.resizing)
                                  : decode_image(bytes, name));
}

Image augment(const Augmentation& augmentation, const Image& image) {
  return finish(augmentation,
                augmentation.resizing ? resample(image, *augmentation.resizing) : image);
}

View view_of(const Augmentation& augmentation, const ImageSize& image, int side) {
  View view;
  view.side = side;
  if (augmentation.resizing) {
    // The window of the resized crop, in fractions of the image.
    const auto& resizing = *augmentation.resizing;
    const auto& crop = resizing.crop;
    const auto& window = resizing.window;
    const auto across = [&](double x) {
      return (crop.left + x * crop.width / resizing.width) / image.width;
    };
    const auto down = [&](double y) {
      return (crop.top + y * crop.height / resizing.height) / image.height;
    };
    view.region = {across(window.left), down(window.top), across(window.left + window.width),
                   down(window.top + window.height)};
  }
  view.region.mirrored = augmentation.mirrored;
  for (const OperationDraw& draw : augmentation.operations) {
    if (const auto movement = movement_of(draw, side, side)) view.warps.push_back(*movement);
  }
  view.erased = augmentation.erased;
  return view;
}

}  // namespace remixer::data
