// SPDX-License-Identifier: Apache-2.0
#include "core/dataset/verify.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "core/dataset/dataset_writer.h"
#include "core/dataset/published_sets.h"
#include "core/dataset/scene.h"
#include "core/image/image_files.h"

namespace remixer::data {

namespace {

// One image, or one mask with the box that must enclose it.
struct Check {
  std::string split, path;
  bool is_mask = false;
  std::optional<Box> box;
};

struct Outcome {
  std::string problem;   // empty: none
  uint64_t content = 0;  // hash of the file's bytes
  std::string sha256;    // empty if there is a problem
};

// The fault of a mask, or empty.
std::string check_mask(const GrayImage& mask, const Check& check) {
  if (!shows_object(mask)) return fmt::format("{} holds no object", check.path);
  if (!check.box) return {};
  const Box inner = bounding_box(mask);
  const bool inside = inner.x0 >= check.box->x0 && inner.y0 >= check.box->y0 &&
                      inner.x1 <= check.box->x1 && inner.y1 <= check.box->y1;
  return inside ? "" : fmt::format("{} reaches out of the box that the index gives", check.path);
}

// image_size 0: images of any size.
Outcome check_file(const fs::path& root, const Check& check, int image_size) {
  const auto bytes = read_image_bytes_if_exists(root / check.path);
  if (!bytes) return {fmt::format("{} is missing", check.path), 0, {}};
  try {
    const Image image = decode_image(*bytes, check.path);
    if (image_size > 0 && (image.width != image_size || image.height != image_size)) {
      return {fmt::format("{} has {}x{} pixels, the manifest says {}x{}", check.path, image.width,
                          image.height, image_size, image_size),
              0,
              {}};
    }
    return {check.is_mask ? check_mask(to_gray(image), check) : "", xxh3(*bytes),
            sha256_hex(*bytes)};
  } catch (const InputError& error) {
    return {error.what(), 0, {}};
  }
}

// Finds images of one split, or of a split and the training set, with equal bytes under two names.
// Variants of a test image may be equal to each other.
void find_duplicates(const std::vector<Check>& checks, const std::vector<Outcome>& outcomes,
                     std::vector<std::string>& problems) {
  std::map<std::pair<std::string, uint64_t>, const std::string*> seen;
  for (size_t i = 0; i < checks.size(); ++i) {
    const Check& check = checks[i];
    if (check.is_mask || outcomes[i].content == 0) continue;
    const auto in_train = seen.find({"train", outcomes[i].content});
    const auto [first, added] = seen.try_emplace({check.split, outcomes[i].content}, &check.path);
    const std::string* other = in_train != seen.end() ? in_train->second
                               : added                ? nullptr
                                                      : first->second;
    if (other) problems.push_back(fmt::format("{} is the same image as {}", check.path, *other));
  }
}

// Finds files below the folder that no index names.
void find_strays(const fs::path& folder, const std::set<std::string>& known,
                 std::vector<std::string>& problems) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string path = entry.path().lexically_relative(folder).string();
    if (entry.is_regular_file() && !known.contains(path)) {
      problems.push_back(fmt::format("{} is in no index", path));
    }
  }
}

// The published set that a folder was imported as; null if it is none, or a user's own.
const PublishedSet* published_set_of(const fs::path& folder) {
  const auto manifest = Json::parse(read_file(folder / "manifest.json"));
  const auto made_by = manifest.find("made_by");
  if (made_by == manifest.end() || !made_by->is_object()) return nullptr;
  const std::string kind = made_by->value("import", std::string());
  for (const PublishedSet& set : published_sets()) {
    if (set.name == kind && set.layout != SetLayout::kImageFolder) return &set;
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> dataset_splits(const fs::path& folder) {
  const fs::path file = folder / "manifest.json";
  const auto manifest = Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!manifest.is_object() || !manifest.contains("splits") || !manifest["splits"].is_object()) {
    fail_input("{} is torn or no dataset's manifest; build the dataset again", file.string());
  }
  std::vector<std::string> splits;
  for (const auto& [split, count] : manifest["splits"].items()) splits.push_back(split);
  std::stable_partition(splits.begin(), splits.end(),
                        [](const std::string& split) { return split == "train"; });
  return splits;
}

Verification verify_dataset(const fs::path& folder,
                            const std::function<void(int64_t done, int64_t total)>& on_progress) {
  Verification result;
  std::map<std::string, std::vector<Sample>> splits;
  std::set<std::string> known{"manifest.json"};
  std::vector<Check> checks;
  int image_size = 0;
  fs::path root = folder;
  std::string recorded_hash;
  std::map<std::string, std::vector<int64_t>> counts;
  std::vector<std::string> classes;
  for (const std::string& split : dataset_splits(folder)) {
    const Dataset dataset = Dataset::open(folder, split);
    image_size = dataset.image_size();
    root = dataset.root();
    classes = dataset.classes();
    counts[split].assign(classes.size(), 0);
    recorded_hash = dataset.content_hash();
    result.images[split] = static_cast<int64_t>(dataset.samples().size());
    known.insert(split + ".tsv");
    for (const Sample& sample : dataset.samples()) {
      checks.push_back({split, sample.id, false, {}});
      ++counts[split][static_cast<size_t>(sample.label)];
      if (!known.insert(sample.id).second) {
        result.problems.push_back(fmt::format("{} is listed twice", sample.id));
      }
      // Several rows may share one mask.
      if (sample.mask.empty() || !known.insert(sample.mask).second) continue;
      // A mask covers all of an image's objects, so a box bounds it only if there is just one.
      const auto bound = sample.more_boxes.empty() ? sample.box : std::nullopt;
      checks.push_back({split, sample.mask, true, bound});
      ++result.masks;
    }
    splits.emplace(split, dataset.samples());
  }

  std::vector<Outcome> outcomes(checks.size());
  const auto total = static_cast<int64_t>(checks.size());
  parallel_for(
      total, 0,
      [&](int64_t i) {
        const auto index = static_cast<size_t>(i);
        outcomes[index] = check_file(root, checks[index], image_size);
      },
      [&](int64_t done) {
        if (on_progress) on_progress(done, total);
      });
  std::map<std::string, std::string> hashes;
  for (size_t i = 0; i < checks.size(); ++i) {
    if (!outcomes[i].problem.empty()) result.problems.push_back(outcomes[i].problem);
    hashes.emplace(checks[i].path, std::move(outcomes[i].sha256));
  }
  const PublishedSet* set = published_set_of(folder);
  // Some published sets contain duplicate images; that is not an error.
  find_duplicates(checks, outcomes, set ? result.differences : result.problems);
  // A user's own folder may hold other files.
  if (root == folder) find_strays(folder, known, result.problems);
  for (std::string& difference :
       set ? differences(*set, counts, classes) : std::vector<std::string>{}) {
    result.differences.push_back(std::move(difference));
  }
  if (result.problems.empty() && content_hash(folder, root, splits, hashes) != recorded_hash) {
    result.problems.push_back(
        "the files are not those that were built: their hash differs from the manifest's");
  }
  return result;
}

}  // namespace remixer::data
