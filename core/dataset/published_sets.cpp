// SPDX-License-Identifier: Apache-2.0
#include "core/dataset/published_sets.h"

#include <numeric>

#include "base/error.h"
#include "base/nearest_name.h"

namespace remixer::data {

namespace {

// Per ImageNet-9 class: the number of its classes among the 370, and among ImageNet-R's.
const std::vector<int64_t> kFoldersOfNine = {116, 52, 42, 36, 35, 27, 26, 20, 16};
const std::vector<int64_t> kFoldersOfRendition = {29, 16, 8, 3, 13, 9, 9, 5, 7};

PublishedSet nine(PublishedSet whole, std::string name, std::map<std::string, int64_t> images,
                  std::vector<int64_t> folders) {
  whole.name = std::move(name);
  whole.description += ", the classes of ImageNet-9";
  whole.nine = true;
  whole.classes = 9;
  whole.images = std::move(images);
  whole.images_per_class = 0;
  whole.folders_per_class = std::move(folders);
  return whole;
}

std::vector<PublishedSet> make_sets() {
  const PublishedSet imagenet{"imagenet",
                              "ImageNet (ILSVRC 2012): train/ and val/",
                              SetLayout::kClassFolders,
                              false,
                              1000,
                              {{"train", 1281167}, {"val", 50000}},
                              50,
                              {}};
  const PublishedSet v2{"imagenetv2",
                        "ImageNetV2, matched frequency: folders 0 to 999",
                        SetLayout::kOneSplit,
                        false,
                        1000,
                        {{"val", 10000}},
                        10,
                        {}};
  // 50,000 images, of which 3,163 have no label.
  const PublishedSet real{"real",
                          "ImageNet-ReaL: ImageNet's val/ and --labels real.json",
                          SetLayout::kReal,
                          false,
                          1000,
                          {{"val", 46837}},
                          0,
                          {}};
  const PublishedSet rendition{"rendition",
                               "ImageNet-R: 200 class folders",
                               SetLayout::kOneSplit,
                               false,
                               200,
                               {{"val", 30000}},
                               0,
                               {}};
  const PublishedSet stylized{"stylized",
                              "Stylized-ImageNet: train/ and val/",
                              SetLayout::kClassFolders,
                              false,
                              1000,
                              {{"train", 1281167}, {"val", 50000}},
                              50,
                              {}};
  // The paper says 50,000; its archive holds 50,889.
  const PublishedSet sketch{"sketch",
                            "ImageNet-Sketch: 1000 class folders",
                            SetLayout::kOneSplit,
                            false,
                            1000,
                            {{"val", 50889}},
                            0,
                            {}};
  std::map<std::string, int64_t> variants;
  for (const char* variant : {"original", "only_bg_b", "only_bg_t", "no_fg", "only_fg",
                              "mixed_same", "mixed_rand", "mixed_next"}) {
    variants[variant] = 4050;
  }
  const PublishedSet challenge{"background_challenge",
                               "the Background Challenge's released test sets: VARIANT/val/CLASS",
                               SetLayout::kChallengeRelease,
                               true,
                               9,
                               variants,
                               450,
                               {}};
  return {imagenet,
          nine(imagenet, "imagenet_9", {{"val", 18500}}, kFoldersOfNine),
          v2,
          nine(v2, "imagenetv2_9", {{"val", 3700}}, kFoldersOfNine),
          real,
          nine(real, "real_9", {{"val", 17545}}, {}),
          rendition,
          nine(rendition, "rendition_9", {}, kFoldersOfRendition),
          stylized,
          nine(stylized, "stylized_9", {{"val", 18500}}, kFoldersOfNine),
          sketch,
          nine(sketch, "sketch_9", {}, kFoldersOfNine),
          challenge,
          {"folder",
           "your own: SPLIT/CLASS/IMAGE, or CLASS/IMAGE, or the same in tar archives",
           SetLayout::kImageFolder,
           false,
           0,
           {},
           0,
           {}}};
}

}  // namespace

const std::vector<PublishedSet>& published_sets() {
  static const std::vector<PublishedSet> sets = make_sets();
  return sets;
}

const PublishedSet& find_published_set(const std::string& name) {
  std::vector<std::string> names;
  for (const PublishedSet& set : published_sets()) {
    if (set.name == name) return set;
    names.push_back(set.name);
  }
  fail_input("{}", unknown_name("kind of dataset", name, names));
}

std::vector<std::string> differences(const PublishedSet& set,
                                     const std::map<std::string, std::vector<int64_t>>& images,
                                     const std::vector<std::string>& classes) {
  std::vector<std::string> found;
  if (set.classes > 0 && static_cast<int64_t>(classes.size()) != set.classes) {
    found.push_back(fmt::format("{} classes, {} are published", classes.size(), set.classes));
  }
  for (const auto& [split, counts] : images) {
    const int64_t total = std::accumulate(counts.begin(), counts.end(), int64_t{0});
    const auto published = set.images.find(split);
    if (published != set.images.end() && published->second != total) {
      found.push_back(
          fmt::format("{}: {} images, {} are published", split, total, published->second));
    }
    if (set.images_per_class == 0 || split == "train") continue;
    for (size_t label = 0; label < counts.size(); ++label) {
      if (counts[label] == set.images_per_class) continue;
      found.push_back(fmt::format("{}: class {} has {} images, {} are published", split,
                                  classes[label], counts[label], set.images_per_class));
    }
  }
  return found;
}

}  // namespace remixer::data
