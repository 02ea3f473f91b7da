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
  bool test = false;  // belongs to the part that test images are made from
};

// All photographs of the 370 classes, sorted by path, and their boxes.
struct ChallengeSource {
  std::filesystem::path folder;
  std::string layout;  // the recognised layout, for people
  std::vector<SourcePhotograph> photographs;
  BoxIndex boxes;
};

// Recognises, in this order:
//   Tiny ImageNet  train/<wnid>/images/ with <wnid>_boxes.txt, val/images/ with val_annotations.txt
//   ImageNet       train/<wnid>/, val/<wnid>/ or a flat val/ (or the same in Data/CLS-LOC/); boxes
//                  from `boxes`, a folder of VOC files or a table; a flat val/ takes its classes
//                  from them too
//   a table        `boxes` is a table that lists images of `folder` with their WordNet ids
// For Tiny ImageNet and ImageNet, test images come from val/. Without val/, and for a table, each
// photograph is a test photograph with probability 1/5, drawn with `seed`.
// Throws InputError if the folder is none of these or its lists contradict each other.
ChallengeSource open_challenge_source(const std::filesystem::path& folder,
                                      const std::filesystem::path& boxes, uint64_t seed);

// The folder that holds train/ and val/: `folder` itself, or Data/CLS-LOC or ILSVRC/Data/CLS-LOC
// below it, as in ImageNet's archives.
std::filesystem::path imagenet_folder(const std::filesystem::path& folder);

}  // namespace remixer::data
