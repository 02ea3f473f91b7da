// SPDX-License-Identifier: Apache-2.0
#include "core/builders/challenge_source.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "core/dataset/imagenet_classes.h"
#include "core/image/folders.h"

namespace remixer::data {

namespace {

constexpr double kTestShare = 0.2;
constexpr uint64_t kHoldOutStream = 32;  // of RandomPurpose::kDataset; b = photograph

// ImageNet-9's class for a WordNet id; -1 if none.
int imagenet9_label(std::string_view wordnet_id) {
  const auto index = imagenet_index(wordnet_id);
  return index ? imagenet_classes()[static_cast<size_t>(*index)].imagenet9 : -1;
}

// A part's class folders that ImageNet-9 uses.
std::vector<std::string> taken_folders(const fs::path& part) {
  std::vector<std::string> folders = list_folders(part);
  std::erase_if(folders, [](const std::string& name) { return imagenet9_label(name) < 0; });
  return folders;
}

void add(ChallengeSource& source, const std::vector<std::string>& images, int label, bool test) {
  for (const std::string& image : images) source.photographs.push_back({image, label, test});
}

// Adds photographs whose annotation gives the class.
void add_annotated(ChallengeSource& source, const std::vector<std::string>& images, bool test) {
  for (const std::string& image : images) {
    const auto annotation = source.boxes.find(image);
    const int label = annotation ? imagenet9_label(annotation->object) : -1;
    if (label >= 0) source.photographs.push_back({image, label, test});
  }
}

// Boxes that match no image, or several, are an error.
void match_boxes(ChallengeSource& source, const std::vector<std::string>& images,
                 bool may_be_unused = false) {
  const BoxMatches& matches = source.boxes.match(images);
  if (!matches.ambiguous.empty()) {
    fail_input("{} boxes fit several images, the first: {}; name more of their paths",
               matches.ambiguous.size(), matches.ambiguous.front());
  }
  if (source.boxes.is_unused() && !images.empty() && !may_be_unused) {
    fail_input("none of the {} rows of boxes fits any of the {} images in {}, such as {}",
               matches.rows, images.size(), source.folder.string(), matches.unmatched.front());
  }
}

bool is_tiny_imagenet(const fs::path& folder) {
  if (!fs::is_directory(folder / "train")) return false;
  const auto classes = list_folders(folder / "train");
  return !classes.empty() && fs::is_directory(folder / "train" / classes.front() / "images");
}

ChallengeSource open_tiny_imagenet(const fs::path& folder) {
  ChallengeSource source{folder, "Tiny ImageNet", {}, {}};
  std::vector<std::string> all;  // images
  std::vector<std::pair<std::string, std::vector<std::string>>> trained;
  for (const std::string& wordnet_id : taken_folders(folder / "train")) {
    const std::string images = "train/" + wordnet_id + "/images";
    source.boxes.add_table(folder / "train" / wordnet_id / (wordnet_id + "_boxes.txt"), images);
    trained.emplace_back(wordnet_id, list_images(folder, images));
    all.insert(all.end(), trained.back().second.begin(), trained.back().second.end());
  }
  std::vector<std::string> test;
  if (fs::exists(folder / "val" / "val_annotations.txt")) {
    source.boxes.add_table(folder / "val" / "val_annotations.txt", "val/images");
    test = list_images(folder, "val/images");
    all.insert(all.end(), test.begin(), test.end());
  }
  match_boxes(source, all);
  for (const auto& [wordnet_id, images] : trained) {
    add(source, images, imagenet9_label(wordnet_id), false);
  }
  add_annotated(source, test, true);
  return source;
}

ChallengeSource open_imagenet(const fs::path& folder, const fs::path& boxes) {
  ChallengeSource source{folder, "ImageNet", {}, {}};
  source.boxes = BoxIndex::open(boxes);
  std::vector<std::string> all;  // images
  for (const char* part : {"train", "val"}) {
    if (!fs::is_directory(folder / part)) continue;
    const auto images = list_images(folder, part);
    all.insert(all.end(), images.begin(), images.end());
  }
  match_boxes(source, all, fs::is_regular_file(boxes));
  // A table with other paths may itself be a list of images.
  if (source.boxes.is_unused()) return source;
  for (const char* part : {"train", "val"}) {
    if (!fs::is_directory(folder / part)) continue;
    const bool test = std::string_view(part) == "val";
    const auto folders = taken_folders(folder / part);
    for (const std::string& wordnet_id : folders) {
      add(source, list_images(folder, std::string(part) + "/" + wordnet_id),
          imagenet9_label(wordnet_id), test);
    }
    if (folders.empty()) add_annotated(source, list_images(folder, part), test);
  }
  return source;
}

ChallengeSource open_listed(const fs::path& folder, const fs::path& boxes) {
  ChallengeSource source{folder, "a table of images", {}, {}};
  source.boxes = BoxIndex::open(boxes);
  match_boxes(source, source.boxes.images());
  add_annotated(source, source.boxes.images(), false);
  return source;
}

}  // namespace

fs::path imagenet_folder(const fs::path& folder) {
  for (const char* below : {"", "Data/CLS-LOC", "ILSVRC/Data/CLS-LOC", "CLS-LOC"}) {
    const fs::path inside = *below ? folder / below : folder;
    if (fs::is_directory(inside / "train") || fs::is_directory(inside / "val")) return inside;
  }
  return folder;
}

ChallengeSource open_challenge_source(const fs::path& given, const fs::path& boxes, uint64_t seed) {
  if (!fs::is_directory(given)) fail_input("{} is not a folder", given.string());
  const fs::path folder = imagenet_folder(given);
  ChallengeSource source;
  if (boxes.empty()) {
    if (!is_tiny_imagenet(folder)) {
      fail_input(
          "{} is no Tiny ImageNet (train/<wnid>/images/), so it needs --boxes: a folder of "
          "VOC files or a table",
          given.string());
    }
    source = open_tiny_imagenet(folder);
  } else if (fs::is_directory(folder / "train") || fs::is_directory(folder / "val")) {
    source = open_imagenet(folder, boxes);
    // A table of paths below a folder that happens to be called train/ is still a table.
    if (source.photographs.empty() && fs::is_regular_file(boxes)) {
      source = open_listed(folder, boxes);
    }
  } else if (fs::is_regular_file(boxes)) {
    source = open_listed(folder, boxes);
  } else {
    fail_input("{} holds neither train/ nor val/", given.string());
  }
  if (source.photographs.empty()) {
    fail_input("{}, read as {}, holds no photograph of ImageNet-9's 370 classes", given.string(),
               source.layout);
  }
  std::sort(source.photographs.begin(), source.photographs.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  const bool split = std::any_of(source.photographs.begin(), source.photographs.end(),
                                 [](const auto& photograph) { return photograph.test; });
  for (size_t i = 0; !split && i < source.photographs.size(); ++i) {
    Random random(seed, RandomPurpose::kDataset, kHoldOutStream, i);
    source.photographs[i].test = random.uniform() < kTestShare;
  }
  return source;
}

}  // namespace remixer::data
