// SPDX-License-Identifier: Apache-2.0
// The photographs behind the Fashion Background Challenge's garments, and crops of them.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "base/random.h"
#include "core/image/image.h"

namespace remixer::data {

struct Photograph {
  const char* name;     // in identities
  const char* package;  // the Debian 12 package that provides it
  const char* file;     // below /usr/share/backgrounds
  const char* sha256;
};

constexpr int kPhotographs = 20;
// Chosen by eye for texture that a crop of a fifth of the picture still shows.
extern const std::array<Photograph, kPhotographs> kFashionPhotographs;

// Photographs are shrunk to this many pixels on their shorter side.
constexpr int kPhotographSide = 160;
// Vertical stripes of this width alternate between training and test images, so that both use the
// same places but share no pixel.
constexpr int kStripeWidth = 48;
enum class Region { kTrain, kTest };

// Loads all photographs, shrunk, in the list's order. Throws InputError if one is missing (naming
// its package) or differs from the published file.
std::vector<Image> load_photographs(const std::filesystem::path& folder, unsigned threads);

// Number of a photograph's stripes that belong to a region; at least one.
int stripes(const Image& photograph, Region region);

// A square cut out of a shrunk photograph.
struct Crop {
  int photograph = 0;
  int x = 0, y = 0;
  bool operator==(const Crop&) const = default;
};
// Uniform over all positions in the region at which a square of `side` pixels fits.
Crop draw_crop(const std::vector<Image>& photographs, int photograph, Region region, int side,
               Random& random);
Image cut_crop(const std::vector<Image>& photographs, const Crop& crop, int side);
// "dune@128,40"
std::string crop_identity(const Crop& crop);

}  // namespace remixer::data
