// SPDX-License-Identifier: Apache-2.0
// Plans imports of ImageNet and its relatives.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "core/builders/challenge_source.h"
#include "core/dataset/imagenet_classes.h"
#include "core/image/folders.h"
#include "core/importer/import_plan.h"
#include "core/importer/naming.h"

namespace remixer::data {
namespace {

int nine_of(int index) {
  return imagenet_classes()[static_cast<size_t>(index)].imagenet9;
}

std::vector<std::string> nine_names() {
  return {imagenet9_class_names().begin(), imagenet9_class_names().end()};
}

std::string wordnet_id(int index) {
  return std::string(imagenet_classes()[static_cast<size_t>(index)].wordnet_id);
}

// "n01440764" for both the archive "train/n01440764.tar" and the folder "train/n01440764".
std::string class_part(const std::string& name) {
  const bool archive = name.ends_with(".tar");
  return archive ? name.substr(0, name.size() - 4) : name;
}

// Plans imports of sets whose classes are ImageNet's, or a subset of them.
class ImageNetPlan {
 public:
  ImageNetPlan(const ImportJob& job, const PublishedSet& set, BoxIndex* boxes)
      : job_(job),
        set_(set),
        boxes_(boxes),
        builder_(SourceTree::walk(plain_root(imagenet_folder(job.folder)),
                                  [](const std::string& path) {
                                    return class_of_folder(
                                               class_part(fs::path(path).filename().string()))
                                        .has_value();
                                  }),
                 "", boxes) {}

  ImportPlan run() {
    choose_parts();
    for (const auto& [split, below] : parts_) sort_images(below);
    choose_classes();
    for (const auto& [split, below] : parts_) add_part(split, below);
    return builder_.finish(set_.layout == SetLayout::kOneSplit ? "outside the class folders"
                                                               : "outside train/ and val/");
  }

 private:
  // The direct content of a part.
  struct Part {
    std::map<std::string, std::vector<size_t>> by_folder;  // images
    std::vector<size_t> flat;
    std::map<std::string, std::optional<int>> folders;  // their classes
  };

  const SourceTree& tree() const { return builder_.tree(); }
  std::string place(const std::string& below) const {
    return below.empty() ? tree().root().string() : (tree().root() / below).string();
  }

  void choose_parts() {
    ImportAccount& account = builder_.plan().account;
    if (set_.layout == SetLayout::kOneSplit) {
      // Some archives have an extra top-level folder.
      const auto top = tree().folders_in("");
      const bool wrapped = top.size() == 1 && !class_of_folder(top[0]);
      parts_ = {{"val", wrapped ? top[0] : ""}};
      account.layout = "CLASS/IMAGE";
      return;
    }
    for (const char* part : {"train", "val"}) {
      if (tree().has_folder(part)) parts_.emplace_back(part, part);
    }
    account.layout = "train|val/CLASS/IMAGE";
    if (parts_.empty()) {
      fail_input("{} holds neither train/ nor val/ ({})", job_.folder.string(), set_.description);
    }
  }

  void sort_images(const std::string& below) {
    Part& part = contents_[below];
    const std::string prefix = below.empty() ? "" : below + "/";
    for (const std::string& name : tree().folders_in(below)) {
      part.folders[name] = class_of_folder(name);
    }
    for (size_t i = 0; i < tree().files().size(); ++i) {
      const SourceFile& file = tree().files()[i];
      if (!file.path.starts_with(prefix)) continue;
      const std::string inside = file.path.substr(prefix.size());
      const size_t slash = inside.find('/');
      const std::string folder = slash == std::string::npos ? "" : inside.substr(0, slash);
      if (file.archive_size > 0 && file.archive_size == prefix.size() + folder.size()) {
        part.folders[folder] = class_of_folder(class_part(folder));
      }
      if (!builder_.is_image(i)) continue;
      if (folder.empty()) {
        part.flat.push_back(i);
      } else {
        part.by_folder[folder].push_back(i);
      }
    }
  }

  // All thousand classes; for a set with only some, those, in the same order; or the nine.
  void choose_classes() {
    ImportPlan& plan = builder_.plan();
    label_of_.fill(-1);
    std::array<bool, kImageNetClasses> present{};
    std::map<std::string, std::string> numbers;
    bool wordnet = false;
    for (const auto& [below, part] : contents_) {
      std::map<int, std::string> first;
      for (const auto& [name, index] : part.folders) {
        if (all_numbers({name})) numbers.emplace(name, name);
        if (!index) continue;
        wordnet = wordnet || imagenet_index(class_part(name));
        present[static_cast<size_t>(*index)] = true;
        const auto [known, is_new] = first.emplace(*index, name);
        if (!is_new) {
          builder_.problem("", "two folders are of one class; remove one or put them together",
                           fmt::format("{} and {} in {}", known->second, name, place(below)));
        }
      }
    }
    plan.account.sign = !numbers.empty() ? "folders named by class indices"
                        : wordnet        ? "folders named by WordNet ids"
                                         : "file names or annotations that say the classes";
    check_numbers(numbers, wordnet);
    const bool some = set_.classes > 0 && set_.classes != kImageNetClasses;
    if (set_.nine) plan.classes = nine_names();
    for (size_t i = 0; i < kImageNetClasses; ++i) {
      if (set_.nine) {
        label_of_[i] = nine_of(static_cast<int>(i));
      } else if (!some || present[i]) {
        label_of_[i] = static_cast<int>(plan.classes.size());
        plan.classes.emplace_back(imagenet_classes()[i].wordnet_id);
      }
    }
    check_folders(present);
  }

  // Class indices start at 0. Folders 1 to 1000 start at 1 and have no fixed order: the development
  // kit's numbers do not follow the sorted WordNet ids.
  void check_numbers(const std::map<std::string, std::string>& numbers, bool wordnet) {
    if (numbers.empty()) return;
    bool zero = false, beyond = false;
    for (const auto& [name, same] : numbers) {
      zero = zero || std::stoi(name) == 0;
      beyond = beyond || std::stoi(name) >= kImageNetClasses;
    }
    if (beyond) {
      builder_.problem("",
                       "numbered folders up to 1000 are no class indices, which go from 0 to 999; "
                       "rename the folders to their WordNet ids",
                       numbers.rbegin()->first);
    } else if (!zero) {
      builder_.problem("numbers",
                       "numbered folders without 0 may be counted from 1, class indices are "
                       "counted from 0; rename the folders to their WordNet ids",
                       numbers.begin()->first);
    }
    if (wordnet) {
      builder_.problem("", "folders named by numbers are beside folders named by WordNet ids",
                       numbers.begin()->first);
    }
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
      builder_.plan().notes.push_back(fmt::format(
          "class {} is made of {} class folders, {} are published", imagenet9_class_names()[label],
          counts[label], set_.folders_per_class[label]));
    }
  }

  // Folders in list_folders() order, which is the row order of an index.
  static std::vector<std::string> in_order(const Part& part) {
    std::vector<std::string> names;
    for (const auto& [name, index] : part.folders) names.push_back(name);
    sort_folders(names);
    return names;
  }

  void add_part(const std::string& split, const std::string& below) {
    Part& part = contents_[below];
    builder_.plan().splits[split];
    bool any = false;
    for (const std::string& name : in_order(part)) {
      const std::vector<size_t>& images = part.by_folder[name];
      const auto index = part.folders[name];
      const std::string path = below.empty() ? name : below + "/" + name;
      any = any || index;
      if (!index) {
        pass_unknown(path, images);
      } else if (images.empty()) {
        builder_.problem("empty-classes", "class folders without a JPEG or PNG", path);
      } else {
        for (const size_t file : images) add_image(split, file, *index);
      }
    }
    if (!any && set_.layout == SetLayout::kClassFolders) {
      add_flat(split, below, part.flat);
    } else if (!any) {
      fail_input("{} holds no images in folders named by WordNet ids or class indices ({})",
                 place(below), set_.description);
    } else {
      for (const size_t file : part.flat) {
        builder_.problem("loose-images", "images beside the class folders",
                         tree().files()[file].path);
        builder_.pass(file, "in no class");
      }
    }
    if (builder_.plan().splits[split].empty() && builder_.plan().account.problems.empty()) {
      fail_input("{} holds no images in folders named by WordNet ids or class indices ({})",
                 place(below), set_.description);
    }
  }

  void pass_unknown(const std::string& path, const std::vector<size_t>& images) {
    if (images.empty()) return;
    builder_.problem("unknown-classes", "folders of images that are no class of ImageNet", path);
    for (const size_t file : images) builder_.pass(file, "in a folder that is no class");
  }

  void add_image(const std::string& split, size_t file, int index) {
    const std::string& path = tree().files()[file].path;
    const auto named = class_of_file_name(path);
    if (named && *named != index) {
      builder_.problem("other-class",
                       "images whose file names say another class than their folder or annotation",
                       fmt::format("{} is taken as {}", path, wordnet_id(index)));
    }
    const int label = label_of_[static_cast<size_t>(index)];
    if (label < 0) return builder_.pass(file, "its class is none of ImageNet-9's");
    builder_.take(split, file, label);
  }

  // ImageNet's val/ as unpacked, 50,000 files, whose classes come from their annotations or
  // names.
  void add_flat(const std::string& split, const std::string& below,
                const std::vector<size_t>& images) {
    for (const size_t file : images) {
      const std::string& path = tree().files()[file].path;
      const auto annotation = boxes_ ? boxes_->find(path) : std::nullopt;
      auto index = annotation ? imagenet_index(annotation->object) : std::nullopt;
      if (!index) index = class_of_file_name(path);
      if (!index && !boxes_) {
        fail_input("{} has no class folders: give --boxes, the annotations that say the classes",
                   place(below));
      }
      if (!index) fail_input("{}: its annotation is missing or names no class of ImageNet", path);
      add_image(split, file, *index);
    }
  }

  const ImportJob& job_;
  const PublishedSet& set_;
  const BoxIndex* boxes_;
  PlanBuilder builder_;
  std::vector<std::pair<std::string, std::string>> parts_;  // split, folder below the root
  std::map<std::string, Part> contents_;                    // by folder below the root
  std::array<int, kImageNetClasses> label_of_{};
};

Json read_real(const fs::path& file) {
  if (file.empty()) fail_input("ReaL needs --labels: its real.json");
  auto labels = Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
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

ImportPlan plan_real(const ImportJob& job, const PublishedSet& set, BoxIndex* boxes) {
  const auto labels = read_real(job.labels);
  const fs::path folder = imagenet_folder(job.folder);
  PlanBuilder builder(
      SourceTree::walk(plain_root(fs::is_directory(folder / "val") ? folder / "val" : folder)), "",
      boxes);
  ImportPlan& plan = builder.plan();
  plan.account.layout = "ILSVRC2012_val_NUMBER.JPEG";
  plan.account.sign = "the numbers of ImageNet's validation images";
  if (set.nine) {
    plan.classes = nine_names();
  } else {
    for (const ImageNetClass& entry : imagenet_classes()) {
      plan.classes.emplace_back(entry.wordnet_id);
    }
  }
  std::map<int64_t, size_t> images;
  for (size_t i = 0; i < builder.tree().files().size(); ++i) {
    if (!builder.is_image(i)) continue;
    const std::string& path = builder.tree().files()[i].path;
    const auto number = validation_number(path);
    if (!number) {
      fail_input("{}: its name is not that of an image of ImageNet's validation set", path);
    }
    const auto [known, is_new] = images.emplace(*number, i);
    if (!is_new) {
      builder.problem("", "two images have one number; remove one",
                      builder.tree().files()[known->second].path + " and " + path);
    }
  }
  if (images.size() != labels.size()) {
    plan.notes.push_back(fmt::format("{} holds {} validation images, {} lists {}",
                                     plan.root.string(), images.size(), job.labels.string(),
                                     labels.size()));
  }
  plan.splits["val"];
  for (const auto& [number, file] : images) {
    if (static_cast<size_t>(number) > labels.size()) {
      fail_input("{}: {} lists {} images only", builder.tree().files()[file].path,
                 job.labels.string(), labels.size());
    }
    std::vector<int> answers;
    for (const auto& label : labels[static_cast<size_t>(number) - 1]) {
      const int index = label.get<int>();
      const int answer = set.nine ? nine_of(index) : index;
      if (answer >= 0) answers.push_back(answer);
    }
    if (answers.empty()) {
      builder.pass(file, set.nine ? "no answer is of ImageNet-9's classes" : "it has no answer");
      continue;
    }
    plan.released_count += static_cast<int64_t>(answers.size());
    builder.take("val", file, answers.front(), {answers.begin() + 1, answers.end()});
  }
  if (plan.splits["val"].empty()) fail_input("{} holds no validation image", plan.root.string());
  return builder.finish("not of the validation set");
}

}  // namespace

ImportPlan plan_published(const ImportJob& job, const PublishedSet& set, BoxIndex* boxes) {
  if (set.layout == SetLayout::kReal) return plan_real(job, set, boxes);
  return ImageNetPlan(job, set, boxes).run();
}

}  // namespace remixer::data
