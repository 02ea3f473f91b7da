// SPDX-License-Identifier: Apache-2.0
// The evaluation and training sets of the field that `remixer dataset import` knows, and what was
// published of each: enough to tell a whole copy from a part of one.
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
  std::string name;         // as the command and, by default, a grid calls it
  std::string description;  // for people
  SetLayout layout = SetLayout::kOneSplit;
  bool nine = false;                      // only ImageNet-9's 370 classes, as nine
  int64_t classes = 0;                    // in the manifest; 0: not fixed
  std::map<std::string, int64_t> images;  // by split; only those whose number was published
  int64_t images_per_class = 0;           // of an evaluation split; 0: not equal or not known
  // How many of the set's own classes fall into each of ImageNet-9's; empty where not checked.
  std::vector<int64_t> folders_per_class;
};

const std::vector<PublishedSet>& published_sets();
// Throws InputError with a suggestion.
const PublishedSet& find_published_set(const std::string& name);

// What differs from what was published, a line each: splits of another number of images, classes
// of another number of images. `images` holds each split's number by class. Splits that are absent
// are no difference: people keep what they use.
std::vector<std::string> differences(const PublishedSet& set,
                                     const std::map<std::string, std::vector<int64_t>>& images,
                                     const std::vector<std::string>& classes);

}  // namespace remixer::data
