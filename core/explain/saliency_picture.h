// SPDX-License-Identifier: Apache-2.0
// Table 4 as a picture: original | plain | ReMixer, one row per image.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/saliency_file.h"
#include "core/explain/panel.h"
#include "core/image/image.h"

namespace remixer::explain {

// Image and map number i of the file; i < file.size().
data::Image image_of(const SaliencyFile& file, size_t i);
HeatMap map_of(const SaliencyFile& file, size_t i);

// The image with its patch labels overlaid patch by patch: one channel as map colours, several
// channels with one colour per class shown, denser for higher probability. Only for a file with
// patch labels.
data::Image label_overlay(const SaliencyFile& file, size_t i, int side);

// A column of maps and its heading.
struct SaliencyColumn {
  std::string heading;  // "DeiT-S", "+ ReMixer (ReLabel)"
  SaliencyFile file;
};

// Columns: the original, one for each file, and one for the labels of each file with patch labels,
// each under its heading. Below each image is its class, below each map the model's answer (red if
// wrong). Throws InputError if the files are not of the same images.
data::Image saliency_picture(const std::vector<SaliencyColumn>& columns);

}  // namespace remixer::explain
