#include "core/data/verify.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/hash.h"
#include "core/data/dataset_writer.h"
#include "core/data/parallel.h"
#include "core/data/scene.h"

namespace remixer::data {

namespace {

// One image, or one mask with the box that must lie around it.
struct Check {
  std::string split, path;
  bool is_mask = false;
  std::optional<Box> box;
};

struct Outcome {
  std::string problem;   // empty: none
  uint64_t content = 0;  // hash of the file's bytes
};

// What is wrong with a mask, or nothing.
std::string check_mask(const GrayImage& mask, const Check& check) {
  const bool empty = std::none_of(mask.pixels.begin(), mask.pixels.end(),
                                  [](uint8_t value) { return value >= 128; });
  if (empty) return fmt::format("{} holds no object", check.path);
  if (check.box && bounding_box(mask) != *check.box) {
    return fmt::format("{} does not fill the box that the index gives", check.path);
  }
  return {};
}

Outcome check_file(const fs::path& folder, const Check& check, int image_size) {
  const auto bytes = read_file_if_exists(folder / check.path);
  if (!bytes) return {fmt::format("{} is missing", check.path)};
  try {
    const Image image = decode_image(*bytes, check.path);
    if (image.width != image_size || image.height != image_size) {
      return {fmt::format("{} has {}x{} pixels, the manifest says {}x{}", check.path, image.width,
                          image.height, image_size, image_size)};
    }
    return {check.is_mask ? check_mask(to_gray(image), check) : "", xxh3(*bytes)};
  } catch (const InputError& error) {
    return {error.what()};
  }
}

// Images of one split, or of a split and the training set, that are the same file under two names.
// The variants of a test image may well be equal to each other.
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

// Files below the folder that no index names.
void find_strays(const fs::path& folder, const std::set<std::string>& known,
                 std::vector<std::string>& problems) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string path = entry.path().lexically_relative(folder).string();
    if (entry.is_regular_file() && !known.contains(path)) {
      problems.push_back(fmt::format("{} is in no index", path));
    }
  }
}

}  // namespace

std::vector<std::string> dataset_splits(const fs::path& folder) {
  const fs::path file = folder / "manifest.json";
  const auto manifest =
      experiments::Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
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
  std::string recorded_hash;
  for (const std::string& split : dataset_splits(folder)) {
    const Dataset dataset = Dataset::open(folder, split);
    image_size = dataset.image_size();
    recorded_hash = dataset.content_hash();
    result.images[split] = static_cast<int64_t>(dataset.samples().size());
    known.insert(split + ".tsv");
    for (const Sample& sample : dataset.samples()) {
      checks.push_back({split, sample.id, false, {}});
      if (!known.insert(sample.id).second) {
        result.problems.push_back(fmt::format("{} is listed twice", sample.id));
      }
      // Several rows may share one mask.
      if (sample.mask.empty() || !known.insert(sample.mask).second) continue;
      checks.push_back({split, sample.mask, true, sample.box});
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
        outcomes[index] = check_file(folder, checks[index], image_size);
      },
      [&](int64_t done) {
        if (on_progress) on_progress(done, total);
      });
  for (const Outcome& outcome : outcomes) {
    if (!outcome.problem.empty()) result.problems.push_back(outcome.problem);
  }
  find_duplicates(checks, outcomes, result.problems);
  find_strays(folder, known, result.problems);
  if (result.problems.empty() && content_hash(folder, splits) != recorded_hash) {
    result.problems.push_back(
        "the files are not those that were built: their hash differs from the manifest's");
  }
  return result;
}

}  // namespace remixer::data
