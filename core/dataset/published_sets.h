// SPDX-License-Identifier: Apache-2.0
// Published evaluation and training sets that `remixer dataset import` knows, with the published
// counts of each, which tell a complete copy from a partial one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace remixer::data {

// How a set's folders name its classes.
enum class SetLayout {
  kClassFolders,      // train/ and val/ of class folders (WordNet ids or class indices), or a flat
                      // val/ whose classes boxes say
  kOneSplit,          // class folders at the top
  kReal,              // ImageNet's validation images, with a list of labels each
  kChallengeRelease,  // VARIANT/val/CLASS, as the Background Challenge's test sets were released
  kImageFolder,       // a user's own
};

struct PublishedSet {
  std::string name;         // its name for the command and, by default, in a grid
  std::string description;  // for people
  SetLayout layout = SetLayout::kOneSplit;
  bool nine = false;                      // only ImageNet-9's 370 classes, as nine
  int64_t classes = 0;                    // in the manifest; 0: not fixed
  std::map<std::string, int64_t> images;  // by split; only published numbers
  int64_t images_per_class = 0;           // of an evaluation split; 0: not equal or not known
  // How many of the set's classes belong to each of ImageNet-9's; empty if not checked.
  std::vector<int64_t> folders_per_class;
};

const std::vector<PublishedSet>& published_sets();
// Throws InputError with a suggestion.
const PublishedSet& find_published_set(const std::string& name);

// Differences from the published set, one per line: splits with another number of images, classes
// with another number of images. `images` holds each split's image counts by class. Absent splits
// are no difference: people keep what they use.
std::vector<std::string> differences(const PublishedSet& set,
                                     const std::map<std::string, std::vector<int64_t>>& images,
                                     const std::vector<std::string>& classes);

}  // namespace remixer::data
