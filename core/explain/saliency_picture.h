// SPDX-License-Identifier: Apache-2.0
// Table 4 as a picture: original | plain | ReMixer, a row an image.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/saliency_file.h"
#include "core/explain/panel.h"
#include "core/image/image.h"

namespace remixer::explain {

// The file's image and map of number i < file.size().
data::Image image_of(const SaliencyFile& file, size_t i);
HeatMap map_of(const SaliencyFile& file, size_t i);

// The image with its patch labels laid over it, patch by patch: of one channel as map colours, of
// several in a colour for each class that the image shows, the surer the denser. Only of a file
// with patch labels.
data::Image label_overlay(const SaliencyFile& file, size_t i, int side);

// A column of maps with what stands above it.
struct SaliencyColumn {
  std::string heading;  // "DeiT-S", "+ ReMixer (ReLabel)"
  SaliencyFile file;
};

// The original, a column for each file, and, of each file with patch labels, a column of them,
// every one under its heading; below each image its class, below each map the model's answer, in
// red where it is wrong. Throws InputError where files are not of the same images.
data::Image saliency_picture(const std::vector<SaliencyColumn>& columns);

}  // namespace remixer::explain
