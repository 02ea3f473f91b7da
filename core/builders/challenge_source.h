// SPDX-License-Identifier: Apache-2.0
// Finds the photographs that ImageNet-9 and Tiny ImageNet-9 are built from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/dataset/boxes.h"

namespace remixer::data {

struct SourcePhotograph {
  std::string path;   // below the source's folder
  int label = 0;      // ImageNet-9's
  bool test = false;  // of the part that test images are made from
};

// All photographs of the 370 classes, sorted by path, and their boxes.
struct ChallengeSource {
  std::filesystem::path folder;
  std::string layout;  // what the folder was recognised as, for people
  std::vector<SourcePhotograph> photographs;
  BoxIndex boxes;
};

// Recognises, in this order:
//   Tiny ImageNet  train/<wnid>/images/ with <wnid>_boxes.txt, val/images/ with val_annotations.txt
//   ImageNet       train/<wnid>/, val/<wnid>/ or a flat val/ (or the same in Data/CLS-LOC/); boxes
//                  from `boxes`, a folder of VOC files or a table; a flat val/ takes its classes
//                  from them too
//   a table        `boxes` is a table that lists images of `folder` with their WordNet ids
// Of Tiny ImageNet and ImageNet test images come from val/. Where there is no val/, and of a table,
// each photograph is one for testing with a probability of 1/5, drawn with `seed`.
// Throws InputError where it is none of these, or what its lists say contradicts itself.
ChallengeSource open_challenge_source(const std::filesystem::path& folder,
                                      const std::filesystem::path& boxes, uint64_t seed);

// The folder that holds train/ and val/: `folder` itself, or Data/CLS-LOC or ILSVRC/Data/CLS-LOC in
// it, as ImageNet's archives unpack.
std::filesystem::path imagenet_folder(const std::filesystem::path& folder);

}  // namespace remixer::data
