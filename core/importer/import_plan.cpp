#include "core/importer/import_plan.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "core/builders/background_challenge.h"
#include "core/builders/challenge_source.h"
#include "core/dataset/imagenet_classes.h"
#include "core/image/folders.h"
#include "core/image/image_files.h"

namespace remixer::data {

namespace {

constexpr uint64_t kHoldOutStream = 33;  // of RandomPurpose::kDataset; b = image

Sample sample_of(std::string id, int label) {
  Sample sample;
  sample.id = std::move(id);
  sample.label = label;
  return sample;
}

// ImageNet's index of a class folder: a WordNet id, or the index itself.
std::optional<int> class_of_folder(const std::string& name) {
  if (const auto index = imagenet_index(name)) return index;
  int value = 0;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), value);
  const bool number = code == std::errc() && end == name.data() + name.size();
  if (!number || value < 0 || value >= kImageNetClasses) return std::nullopt;
  return value;
}

int nine_of(int index) {
  return imagenet_classes()[static_cast<size_t>(index)].imagenet9;
}

std::vector<std::string> nine_names() {
  return {imagenet9_class_names().begin(), imagenet9_class_names().end()};
}

// Plans sets whose classes are ImageNet's, or some of them.
class ImageNetPlan {
 public:
  ImageNetPlan(const ImportJob& job, const PublishedSet& set, const BoxIndex* boxes)
      : job_(job), set_(set), boxes_(boxes) {
    plan_.root = fs::absolute(imagenet_folder(job.folder)).lexically_normal();
    // An empty last part would end in the ids' first one.
    if (!plan_.root.has_filename()) plan_.root = plan_.root.parent_path();
  }

  ImportPlan run() {
    std::vector<std::pair<std::string, std::string>> parts;  // split, folder below the root
    if (set_.layout == SetLayout::kOneSplit) {
      // Some archives hold one folder more at the top.
      const auto top = list_folders(plan_.root);
      const bool wrapped = top.size() == 1 && !class_of_folder(top[0]);
      parts = {{"val", wrapped ? top[0] : ""}};
    } else {
      for (const char* part : {"train", "val"}) {
        if (fs::is_directory(plan_.root / part)) parts.emplace_back(part, part);
      }
      if (parts.empty()) {
        fail_input("{} holds neither train/ nor val/ ({})", job_.folder.string(), set_.description);
      }
    }
    choose_classes(parts);
    for (const auto& [split, below] : parts) add_part(split, below);
    return std::move(plan_);
  }

 private:
  fs::path inside(const std::string& below) const {
    return below.empty() ? plan_.root : plan_.root / below;
  }

  // All thousand, or, of a set that shows some only, those in their order; or the nine.
  void choose_classes(const std::vector<std::pair<std::string, std::string>>& parts) {
    label_of_.fill(-1);
    std::array<bool, kImageNetClasses> present{};
    for (const auto& [split, below] : parts) {
      for (const std::string& name : list_folders(inside(below))) {
        if (const auto index = class_of_folder(name)) present[static_cast<size_t>(*index)] = true;
      }
    }
    const bool some = set_.classes > 0 && set_.classes != kImageNetClasses;
    if (set_.nine) plan_.classes = nine_names();
    for (size_t i = 0; i < kImageNetClasses; ++i) {
      if (set_.nine) {
        label_of_[i] = nine_of(static_cast<int>(i));
      } else if (!some || present[i]) {
        label_of_[i] = static_cast<int>(plan_.classes.size());
        plan_.classes.emplace_back(imagenet_classes()[i].wordnet_id);
      }
    }
    check_folders(present);
  }

  void check_folders(const std::array<bool, kImageNetClasses>& present) {
    if (set_.folders_per_class.empty()) return;
    std::array<int64_t, kImageNet9Classes> counts{};
    for (size_t i = 0; i < kImageNetClasses; ++i) {
      const int label = nine_of(static_cast<int>(i));
      if (present[i] && label >= 0) ++counts[static_cast<size_t>(label)];
    }
    for (size_t label = 0; label < counts.size(); ++label) {
      if (counts[label] == set_.folders_per_class[label]) continue;
      plan_.notes.push_back(fmt::format("class {} is made of {} class folders, {} are published",
                                        imagenet9_class_names()[label], counts[label],
                                        set_.folders_per_class[label]));
    }
  }

  void add_part(const std::string& split, const std::string& below) {
    std::vector<Sample>& samples = plan_.splits[split];
    bool any = false;
    for (const std::string& name : list_folders(inside(below))) {
      const auto index = class_of_folder(name);
      if (!index) continue;
      any = true;
      const int label = label_of_[static_cast<size_t>(*index)];
      if (label < 0) continue;
      const std::string folder = below.empty() ? name : below + "/" + name;
      for (std::string& image : list_images(plan_.root, folder)) {
        samples.push_back(sample_of(std::move(image), label));
      }
    }
    if (!any && set_.layout == SetLayout::kClassFolders) add_flat(below, samples);
    if (samples.empty()) {
      fail_input("{} holds no images in folders named by WordNet ids or class indices ({})",
                 inside(below).string(), set_.description);
    }
  }

  // ImageNet's val/ as its archive unpacks: 50,000 files, whose classes their annotations say.
  void add_flat(const std::string& below, std::vector<Sample>& samples) {
    auto images = list_images(plan_.root, below);
    if (!boxes_ && !images.empty()) {
      fail_input("{} has no class folders: give --boxes, the annotations that say the classes",
                 inside(below).string());
    }
    for (std::string& image : images) {
      const auto annotation = boxes_->find(image);
      const auto index = annotation ? imagenet_index(annotation->object) : std::nullopt;
      if (!index) {
        fail_input("{}: its annotation is missing or names no class of ImageNet", image);
      }
      const int label = label_of_[static_cast<size_t>(*index)];
      if (label >= 0) samples.push_back(sample_of(std::move(image), label));
    }
  }

  const ImportJob& job_;
  const PublishedSet& set_;
  const BoxIndex* boxes_;
  ImportPlan plan_;
  std::array<int, kImageNetClasses> label_of_{};
};

// The number in "ILSVRC2012_val_00000293": images are counted from 1, in the order of their names.
int64_t validation_number(const std::string& path) {
  const std::string stem = fs::path(path).stem().string();
  const size_t begin = stem.rfind('_');
  const std::string digits = begin == std::string::npos ? "" : stem.substr(begin + 1);
  int64_t value = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (code != std::errc() || end != digits.data() + digits.size() || value < 1) {
    fail_input("{}: its name is not that of an image of ImageNet's validation set", path);
  }
  return value;
}

experiments::Json read_real(const fs::path& file) {
  if (file.empty()) fail_input("ReaL needs --labels: its real.json");
  auto labels = experiments::Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  const bool sound =
      labels.is_array() && std::all_of(labels.begin(), labels.end(), [](const auto& entry) {
        return entry.is_array() && std::all_of(entry.begin(), entry.end(), [](const auto& label) {
                 return label.is_number_integer() && label.template get<int64_t>() >= 0 &&
                        label.template get<int64_t>() < kImageNetClasses;
               });
      });
  if (!sound || labels.empty()) {
    fail_input("{} is not ReaL's list of class indices for each validation image", file.string());
  }
  return labels;
}

ImportPlan plan_real(const ImportJob& job, const PublishedSet& set) {
  const auto labels = read_real(job.labels);
  ImportPlan plan;
  const fs::path folder = imagenet_folder(job.folder);
  plan.root =
      fs::absolute(fs::is_directory(folder / "val") ? folder / "val" : folder).lexically_normal();
  if (!plan.root.has_filename()) plan.root = plan.root.parent_path();
  if (set.nine) {
    plan.classes = nine_names();
  } else {
    for (const ImageNetClass& entry : imagenet_classes()) {
      plan.classes.emplace_back(entry.wordnet_id);
    }
  }
  std::vector<std::pair<int64_t, std::string>> images;
  for (std::string& image : list_images(plan.root, "")) {
    const int64_t number = validation_number(image);
    images.emplace_back(number, std::move(image));
  }
  std::sort(images.begin(), images.end());
  if (images.size() != labels.size()) {
    plan.notes.push_back(fmt::format("{} holds {} validation images, {} lists {}",
                                     plan.root.string(), images.size(), job.labels.string(),
                                     labels.size()));
  }
  std::vector<Sample>& samples = plan.splits["val"];
  for (auto& [number, image] : images) {
    if (static_cast<size_t>(number) > labels.size()) {
      fail_input("{}: {} lists {} images only", image, job.labels.string(), labels.size());
    }
    std::vector<int> answers;
    for (const auto& label : labels[static_cast<size_t>(number) - 1]) {
      const int index = label.get<int>();
      const int answer = set.nine ? nine_of(index) : index;
      if (answer >= 0) answers.push_back(answer);
    }
    if (answers.empty()) continue;
    plan.released_count += static_cast<int64_t>(answers.size());
    samples.push_back(sample_of(std::move(image), answers.front()));
    samples.back().more_labels.assign(answers.begin() + 1, answers.end());
  }
  if (samples.empty()) fail_input("{} holds no validation image", plan.root.string());
  return plan;
}

// The benchmark's own mixed images are called fg_<object>_bg_<background>; what its Mixed-Rand says
// of the background is not to be relied on (it carries Mixed-Next's names), so it is not taken.
ImportPlan plan_release(const ImportJob& job) {
  ImportPlan plan;
  plan.root = fs::absolute(job.folder).lexically_normal();
  if (!plan.root.has_filename()) plan.root = plan.root.parent_path();
  // The archive's own top folder.
  if (!fs::is_directory(plan.root / "original") && fs::is_directory(plan.root / "bg_challenge")) {
    plan.root /= "bg_challenge";
  }
  plan.classes = nine_names();
  for (const char* variant : kVariants) {
    for (const auto& [part, split] : {std::pair{"train", std::string("train_") + variant},
                                      std::pair{"val", std::string(variant)}}) {
      const std::string below = fmt::format("{}/{}", variant, part);
      if (!fs::is_directory(plan.root / below)) continue;
      const std::vector<std::string> folders = list_folders(plan.root / below);
      const auto labels = imagenet9_of_classes(folders);
      if (!labels || folders.size() != kImageNet9Classes) {
        fail_input("{} must hold ImageNet-9's nine class folders, 00_dog to 08_fish; it holds {}",
                   (plan.root / below).string(), fmt::join(folders, ", "));
      }
      std::vector<Sample>& samples = plan.splits[split == "train_original" ? "train" : split];
      for (size_t i = 0; i < folders.size(); ++i) {
        for (std::string& image : list_images(plan.root, below + "/" + folders[i])) {
          samples.push_back(sample_of(std::move(image), (*labels)[i]));
        }
      }
    }
  }
  if (plan.splits.empty()) {
    fail_input("{} holds none of the Background Challenge's variants (original/val/00_dog/...)",
               job.folder.string());
  }
  return plan;
}

// What stands in a part of a user's own data: class folders, or shards.
ImageListing list_part(const fs::path& root, const std::string& part, const std::string& without) {
  const fs::path folder = part.empty() ? root : root / part;
  if (has_archives(folder)) return list_images(folder);
  ImageListing listing;
  listing.classes = list_folders(folder);
  std::erase(listing.classes, without);
  for (size_t label = 0; label < listing.classes.size(); ++label) {
    for (std::string& image : list_images(folder, listing.classes[label])) {
      listing.images.push_back({std::move(image), static_cast<int>(label)});
    }
  }
  return listing;
}

void hold_out(ImportPlan& plan, double share) {
  std::vector<Sample> kept;
  for (size_t i = 0; i < plan.splits["train"].size(); ++i) {
    Random random(0, RandomPurpose::kDataset, kHoldOutStream, i);
    Sample& sample = plan.splits["train"][i];
    (random.uniform() < share ? plan.splits["val"] : kept).push_back(std::move(sample));
  }
  plan.splits["train"] = std::move(kept);
}

// One archive is a split of its own; a folder has splits, or is one.
ImportPlan plan_folder(const ImportJob& job) {
  ImportPlan plan;
  plan.root = fs::absolute(job.folder).lexically_normal();
  if (!plan.root.has_filename()) plan.root = plan.root.parent_path();
  std::vector<std::string> parts = {""};
  const std::string masks_top = job.masks.substr(0, job.masks.find('/'));
  bool has_splits = false;
  if (fs::is_regular_file(plan.root)) {
    parts = {plan.root.filename().string()};
    plan.root = plan.root.parent_path();
  } else {
    std::vector<std::string> top = list_folders(plan.root);
    std::erase(top, masks_top);
    has_splits = std::any_of(top.begin(), top.end(), [](const std::string& name) {
      return name == "train" || name == "val" || name == "test";
    });
    if (has_splits) parts = std::move(top);
  }
  // The training part's classes, in its folders' order; others' must be among them.
  std::stable_partition(parts.begin(), parts.end(),
                        [](const std::string& part) { return part == "train"; });
  for (const std::string& part : parts) {
    ImageListing listing = list_part(plan.root, part, has_splits ? "" : masks_top);
    if (listing.classes.empty()) {
      fail_input(
          "{} holds no class folders (it must be laid out as SPLIT/CLASS/IMAGE or CLASS/IMAGE, or "
          "hold tar archives of such folders or of WebDataset samples)",
          (plan.root / part).string());
    }
    if (plan.classes.empty()) plan.classes = listing.classes;
    std::vector<int> labels;
    for (const std::string& name : listing.classes) {
      const auto found = std::find(plan.classes.begin(), plan.classes.end(), name);
      if (found == plan.classes.end()) {
        fail_input("{}: class folder \"{}\" is not among those of {}", (plan.root / part).string(),
                   name, parts.front());
      }
      labels.push_back(static_cast<int>(found - plan.classes.begin()));
    }
    if (listing.images.empty()) {
      fail_input("{} holds no JPEG or PNG in class folders", (plan.root / part).string());
    }
    std::vector<Sample>& samples = plan.splits[has_splits ? part : "train"];
    for (const ListedImage& image : listing.images) {
      samples.push_back(sample_of(part.empty() ? image.path : part + "/" + image.path,
                                  labels[static_cast<size_t>(image.label)]));
    }
  }
  if (!has_splits && job.hold_out > 0) hold_out(plan, job.hold_out);
  return plan;
}

}  // namespace

ImportPlan plan_import(const ImportJob& job, const PublishedSet& set, const BoxIndex* boxes) {
  const bool shard = set.layout == SetLayout::kImageFolder && fs::is_regular_file(job.folder) &&
                     has_archives(job.folder);
  if (!shard && !fs::is_directory(job.folder)) {
    fail_input("{} is not a folder", job.folder.string());
  }
  switch (set.layout) {
    case SetLayout::kReal:
      return plan_real(job, set);
    case SetLayout::kChallengeRelease:
      return plan_release(job);
    case SetLayout::kImageFolder:
      return plan_folder(job);
    case SetLayout::kClassFolders:
    case SetLayout::kOneSplit:
      break;
  }
  return ImageNetPlan(job, set, boxes).run();
}

}  // namespace remixer::data
