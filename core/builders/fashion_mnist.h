// SPDX-License-Identifier: Apache-2.0
// Fashion-MNIST (Xiao et al. 2017): 28x28 grey photographs of garments, and their silhouettes.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/image/image.h"

namespace remixer::data {

constexpr int kGarmentSide = 28;
constexpr int kGarmentClasses = 10;

// Class folders: number and name, so that sorting by name keeps the labels' order.
extern const std::array<const char*, kGarmentClasses> kGarmentClassNames;

// One of the data set's two parts, in file order. Garments are light on black.
struct Garments {
  std::string part;  // "train" or "t10k", as the files are called
  std::vector<GrayImage> images;
  std::vector<uint8_t> labels;
};

// Reads <folder>/<part>-{images-idx3,labels-idx1}-ubyte.gz. Throws InputError if a file is missing
// (naming the package that provides it), torn, or not the published one.
Garments read_garments(const std::filesystem::path& folder, const std::string& part);

// The garment's pixels: brighter than the black background, with enclosed holes filled and specks
// removed. 255 or 0.
GrayImage silhouette(const GrayImage& garment);

}  // namespace remixer::data
