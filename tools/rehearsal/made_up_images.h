// SPDX-License-Identifier: Apache-2.0
// Makes photographs for a rehearsal: noise with a bright object whose box is known.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/dataset/dataset.h"
#include "core/image/image.h"

namespace remixer::rehearsal {

// 320 x 240 pixels, or upright, or square; `seed` determines this and the content.
struct MadeUpImage {
  data::Image image;
  data::Box box;
};
// `shade` (0 to 255) is the object's, so that classes look different. `side` above 0: square.
MadeUpImage make_up_image(uint64_t seed, int shade, int side = 0);

// Writes a JPEG and creates its parent folders.
void write_jpeg(const std::filesystem::path& file, const data::Image& image);

// Writes the box as a PASCAL-VOC annotation of an object named `wordnet_id`.
void write_voc(const std::filesystem::path& file, const MadeUpImage& made,
               const std::string& wordnet_id);

}  // namespace remixer::rehearsal
