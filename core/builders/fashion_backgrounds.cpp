// SPDX-License-Identifier: Apache-2.0
#include "core/builders/fashion_backgrounds.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"

namespace remixer::data {

// Class c prefers the two photographs 2c and 2c + 1.
const std::array<Photograph, kPhotographs> kFashionPhotographs = {{
    {"dragonfly", "lomiri-wallpapers-16.04", "Dragonfly_by_Bolly.jpg",
     "af5af17841009732def24b09bb1e669a1b09d2b4bdeee7812c371101c30d2bb3"},
    {"blinds", "mate-backgrounds", "mate/nature/Blinds.jpg",
     "f7aac0dcc2e06d0491643e84df3da1d9db7c4610f58806a880d56e074799f600"},
    {"fig", "lomiri-wallpapers-16.04", "Picture_0B_by_freespace.jpg",
     "c8c0ab18e48d9e0419fe42881112137f3afafc27dfddc29ec3a6d54c56d225ad"},
    {"dune", "mate-backgrounds", "mate/nature/Dune.jpg",
     "8a67c2cb0be8c46b70c237311a4fa4d2b4ac7d39568135384787801fa5cc9a91"},
    {"brushes", "lomiri-wallpapers-16.04", "Picture_1A_by_freespace.jpg",
     "89e86af38d04daaef975665dc2127e9fa76f0fd68f4eea105a2d0ae3390b010b"},
    {"freshflower", "mate-backgrounds", "mate/nature/FreshFlower.jpg",
     "972b0a0c4e5e3fa93f4f244fc84bc64b121a5eac3aaa5856f1308c1f38a02f8e"},
    {"wine", "lomiri-wallpapers-16.04", "Wine_by_Jakkub_Mede.jpg",
     "d2e96e6d4da40dd804b3d0ce295e94de04a2d7d9b6785d42cd9d92ba58bced74"},
    {"garden", "mate-backgrounds", "mate/nature/Garden.jpg",
     "d3095ee09d425ef23d27155412136cf14fc3c9af76ca58b452f55e23da324e78"},
    {"aitzgorri", "lomiri-wallpapers-16.04", "aitzgorri_by_Aitzol_Berasategi.jpg",
     "66268e7b48f8854d36a28765fac6e23ec1aee251daa6da1f64715f201020ad36"},
    {"greenmeadow", "mate-backgrounds", "mate/nature/GreenMeadow.jpg",
     "8fa0de0aa4089f7319c9fb7a6d006d4cab6023e8c8853731557cff53567b4832"},
    {"friends", "lomiri-wallpapers-16.04", "friends_by_Aitzol_Berasategi.jpg",
     "cc40e313c74e421edffe3403def413c16878ce14661cce7ec5915baeab35538d"},
    {"ladybird", "mate-backgrounds", "mate/nature/LadyBird.jpg",
     "e35a9a4126ef969c90b29c038058c5a575a20eadd84106a37bf1fa9931e7b61d"},
    {"life", "lomiri-wallpapers-16.04", "life_by_Aitzol_Berasategi.jpg",
     "4c119350ead80201fe256850c3d316309ddfb4bdf10b235ce982dcde0c667c05"},
    {"raindrops", "mate-backgrounds", "mate/nature/RainDrops.jpg",
     "3e4ea9671c28c90a86cf67b3db9daf18c4741587c596333a7529ca589aaa0c16"},
    {"picosdeeuropa", "lomiri-wallpapers-16.04", "picosdeeuropa_by_Aitzol_Berasategi.jpg",
     "414d0072b2f6f2c555deafeaef6e45c4fed6fa9ad26eba6560ca8803959cf97a"},
    {"twowings", "mate-backgrounds", "mate/nature/TwoWings.jpg",
     "665e5abf8a5399070a91a9a8e455fe071e5b61697ff78fdeda4e9843ef545aeb"},
    {"seeding", "lomiri-wallpapers-16.04", "seeding_by_Clements_Engelhardt.jpg",
     "a5634d1ab5e41a3568e92d4a894a500c92b891f9ff734e50bd224d6e185a605f"},
    {"wood", "mate-backgrounds", "mate/nature/Wood.jpg",
     "19c78500ac00a622e19907ab9cc7d06d46fe08c4a6142759a84195696150ec07"},
    {"sunset", "lomiri-wallpapers-16.04", "sunset_by_Aitzol_Berasategi.jpg",
     "474dab6a4b9f94dc76c29dfe30e9f5db4af0fd2e33fe5d695f8152b371efca18"},
    {"yellowflower", "mate-backgrounds", "mate/nature/YellowFlower.jpg",
     "254da96256acb7add685679775a04d1e4a5bc8cd13e5a5a3d61351ce198a5306"},
}};

namespace {

Image load(const Photograph& photograph, const fs::path& folder) {
  const fs::path path = folder / photograph.file;
  const auto bytes = read_file_if_exists(path);
  if (!bytes) fail_input("cannot open {}; install {}", path.string(), photograph.package);
  if (sha256_hex(*bytes) != photograph.sha256) {
    fail_input("{} is not the photograph that Debian 12's {} brings; install it again",
               path.string(), photograph.package);
  }
  const Image image = decode_image_reduced(*bytes, path.string(), kPhotographSide);
  const int shorter = std::min(image.width, image.height);
  const auto scaled = [&](int side) { return (side * kPhotographSide + shorter / 2) / shorter; };
  return resize(image, scaled(image.width), scaled(image.height));
}

}  // namespace

std::vector<Image> load_photographs(const fs::path& folder, unsigned threads) {
  std::vector<Image> images(kPhotographs);
  parallel_for(kPhotographs, threads, [&](int64_t i) {
    images[static_cast<size_t>(i)] = load(kFashionPhotographs[static_cast<size_t>(i)], folder);
  });
  return images;
}

int stripes(const Image& photograph, Region region) {
  const int all = photograph.width / kStripeWidth;
  return region == Region::kTrain ? (all + 1) / 2 : all / 2;
}

Crop draw_crop(const std::vector<Image>& photographs, int photograph, Region region, int side,
               Random& random) {
  const Image& image = photographs[static_cast<size_t>(photograph)];
  const auto stripe = static_cast<int>(random.below(static_cast<uint64_t>(stripes(image, region))));
  const int left = (2 * stripe + (region == Region::kTest ? 1 : 0)) * kStripeWidth;
  Crop crop;
  crop.photograph = photograph;
  crop.x = left + static_cast<int>(random.below(static_cast<uint64_t>(kStripeWidth - side + 1)));
  crop.y = static_cast<int>(random.below(static_cast<uint64_t>(image.height - side + 1)));
  return crop;
}

Image cut_crop(const std::vector<Image>& photographs, const Crop& crop, int side) {
  const Image& photograph = photographs[static_cast<size_t>(crop.photograph)];
  Image image(side, side);
  for (int y = 0; y < side; ++y) {
    std::copy_n(photograph.at(crop.x, crop.y + y), side * 3, image.at(0, y));
  }
  return image;
}

std::string crop_identity(const Crop& crop) {
  return fmt::format("{}@{},{}", kFashionPhotographs[static_cast<size_t>(crop.photograph)].name,
                     crop.x, crop.y);
}

}  // namespace remixer::data
