// SPDX-License-Identifier: Apache-2.0
#include "tools/rehearsal/made_up_images.h"

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "core/image/image_codec.h"

namespace remixer::rehearsal {

MadeUpImage make_up_image(uint64_t seed, int shade, int side) {
  constexpr int kLong = 320, kShort = 240;
  Random random(seed, RandomPurpose::kDataset);
  const bool upright = random.below(2) == 1;
  const int width = side > 0 ? side : upright ? kShort : kLong;
  const int height = side > 0 ? side : upright ? kLong : kShort;
  MadeUpImage made{data::Image(width, height), {}};
  const int across = width * 2 / 5, down = height * 2 / 5;
  const int x0 = width / 4 + static_cast<int>(random.below(static_cast<uint64_t>(width / 8)));
  const int y0 = height / 4 + static_cast<int>(random.below(static_cast<uint64_t>(height / 8)));
  made.box = {x0, y0, x0 + across - 1, y0 + down - 1};
  const int ground = 60 + static_cast<int>(random.below(100));
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double dx = 2.0 * (x - x0) / across - 1, dy = 2.0 * (y - y0) / down - 1;
      const bool object = dx * dx + dy * dy <= 1;
      const int base[3] = {object ? 220 : 30, object ? shade : ground, object ? 30 : 190};
      for (int c = 0; c < 3; ++c) {
        made.image.at(x, y)[c] =
            static_cast<uint8_t>(std::min(255, base[c] + static_cast<int>(random.below(30))));
      }
    }
  }
  return made;
}

void write_jpeg(const std::filesystem::path& file, const data::Image& image) {
  write_file_atomic(file, data::encode_jpeg(image, 90));
}

void write_voc(const std::filesystem::path& file, const MadeUpImage& made,
               const std::string& wordnet_id) {
  write_file_atomic(
      file,
      fmt::format("<annotation>\n  <size><width>{}</width><height>{}</height></size>\n"
                  "  <object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax>"
                  "<ymax>{}</ymax></bndbox></object>\n</annotation>\n",
                  made.image.width, made.image.height, wordnet_id, made.box.x0, made.box.y0,
                  made.box.x1, made.box.y1));
}

}  // namespace remixer::rehearsal
