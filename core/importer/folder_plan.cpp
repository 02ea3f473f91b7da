// SPDX-License-Identifier: Apache-2.0
// Plans an import of a user's own images: SPLIT/CLASS/IMAGE, CLASS/IMAGE, or the same in archives.
#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "core/image/folders.h"
#include "core/image/image_listing.h"
#include "core/importer/import_plan.h"
#include "core/importer/naming.h"

namespace remixer::data {
namespace {

constexpr uint64_t kFolderHoldOutStream = 33;  // of RandomPurpose::kDataset; b = image

bool is_split(const std::string& name) {
  return name == "train" || name == "val" || name == "test";
}

bool any_split(const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), is_split);
}

void hold_out(ImportPlan& plan, double share) {
  std::vector<Sample> kept;
  for (size_t i = 0; i < plan.splits["train"].size(); ++i) {
    Random random(0, RandomPurpose::kDataset, kFolderHoldOutStream, i);
    Sample& sample = plan.splits["train"][i];
    (random.uniform() < share ? plan.splits["val"] : kept).push_back(std::move(sample));
  }
  plan.splits["train"] = std::move(kept);
}

SourceTree walk(const ImportJob& job) {
  const fs::path root = plain_root(job.folder);
  if (fs::is_regular_file(root)) return SourceTree::of_archive(root);
  // An archive beside the split folders is probably what they were unpacked from.
  const bool has_splits = any_split(list_folders(root));
  return SourceTree::walk(root, [has_splits](const std::string& path) {
    return !has_splits || path.find('/') != std::string::npos;
  });
}

class FolderPlan {
 public:
  FolderPlan(const ImportJob& job, BoxIndex* boxes)
      : job_(job), masks_(job.masks), builder_(walk(job), job.masks, boxes) {}

  ImportPlan run() {
    choose_parts();
    for (const std::string& part : parts_) add_part(part);
    report_empty_classes();
    ImportPlan plan = builder_.finish(has_splits_ ? "outside the splits" : "in no class");
    if (!has_splits_ && job_.hold_out > 0) hold_out(plan, job_.hold_out);
    return plan;
  }

 private:
  const SourceTree& tree() const { return builder_.tree(); }
  std::string place(const std::string& part) const { return (tree().root() / part).string(); }

  void choose_parts() {
    std::vector<std::string> top = tree().folders_in("");
    std::erase(top, masks_.substr(0, masks_.find('/')));
    has_splits_ = any_split(top);
    ImportAccount& account = builder_.plan().account;
    for (const std::string& name : top) {
      const SplitWord word = split_word(name);
      if (!has_splits_ && word != SplitWord::kNone) {
        builder_.problem("split-names",
                         "folders that look like splits, not classes; call the splits train, val "
                         "and test, or name the folder of one of them",
                         name);
      }
      if (has_splits_ && word == SplitWord::kTrain && name != "train") {
        builder_.problem("split-names",
                         "folders that look like a part of the training images but would be test "
                         "sets; move their images into train",
                         name);
      }
      const std::string why = unfit_split(name);
      if (has_splits_ && !why.empty()) {
        builder_.problem("", fmt::format("the name of a split {}; rename its folder", why), name);
      }
    }
    if (!has_splits_) {
      parts_ = {""};
      account.layout = "CLASS/IMAGE";
      account.sign = "no folder is called train, val or test";
      return;
    }
    account.layout = "SPLIT/CLASS/IMAGE";
    for (const char* name : {"train", "val", "test"}) {
      if (std::find(top.begin(), top.end(), name) == top.end()) continue;
      account.sign += fmt::format("{}{}/", account.sign.empty() ? "folders " : ", ", name);
    }
    // The classes of the training part, in its folder order; other parts may only have these.
    parts_ = std::move(top);
    std::stable_partition(parts_.begin(), parts_.end(),
                          [](const std::string& part) { return part == "train"; });
  }

  void add_part(const std::string& part) {
    const PartListing listing = list_part(tree(), part, masks_);
    const bool has_archives =
        std::any_of(listing.images.begin(), listing.images.end(),
                    [&](const auto& image) { return tree().files()[image.file].archive_size > 0; });
    if (has_archives) builder_.plan().account.layout += part.empty() ? ", in archives" : "";
    for (const size_t file : listing.labels) builder_.use(file, "the class of a sample");
    for (const size_t file : listing.further) {
      builder_.pass(file, "a further image of a WebDataset sample");
    }
    for (const size_t file : listing.unclear) {
      builder_.problem("", "several images of one WebDataset sample, and not exactly one KEY.jpg",
                       tree().files()[file].path);
      builder_.pass(file, "one of several images of a WebDataset sample");
    }
    for (const std::string& archive : listing.shard_like) {
      builder_.problem("shard-names",
                       "archives without folders and without .cls files, so nothing says their "
                       "images' classes",
                       archive);
    }
    check_archives(part);
    check_class_names(part, listing);
    const bool any = std::any_of(listing.images.begin(), listing.images.end(),
                                 [](const auto& image) { return !image.name.empty(); });
    if (!any && has_splits_ && part != "train") return skip_part(part, listing);
    if (listing.classes.empty()) {
      fail_input(
          "{} holds no class folders (it must be laid out as SPLIT/CLASS/IMAGE or CLASS/IMAGE, or "
          "hold tar archives of such folders or of WebDataset samples)",
          place(part));
    }
    if (!any) fail_input("{} holds no JPEG or PNG in class folders", place(part));
    add_images(part, listing);
  }

  // A part without classes is ignored, unless its name is that of a split.
  void skip_part(const std::string& part, const PartListing& listing) {
    pass_loose(listing);
    if (split_word(part) == SplitWord::kNone) return;
    builder_.problem("empty-classes", "splits without a JPEG or PNG in a class folder", part);
  }

  void pass_loose(const PartListing& listing) {
    for (const PartListing::Image& image : listing.images) {
      if (!image.name.empty()) continue;
      builder_.problem("loose-images",
                       "images outside any class; put each class's images into a folder of "
                       "its own",
                       tree().files()[image.file].path);
      builder_.pass(image.file, "in no class");
    }
  }

  void add_images(const std::string& part, const PartListing& listing) {
    std::vector<std::string>& classes = builder_.plan().classes;
    if (classes.empty()) classes = listing.classes;
    pass_loose(listing);
    std::map<std::string, std::vector<size_t>> by_class;
    for (const PartListing::Image& image : listing.images) {
      if (!image.name.empty()) by_class[image.name].push_back(image.file);
    }
    const std::string split = has_splits_ ? part : "train";
    builder_.plan().splits[split];
    for (const std::string& name : listing.classes) {
      const auto found = std::find(classes.begin(), classes.end(), name);
      const std::vector<size_t>& files = by_class[name];
      if (files.empty()) {
        empty_.emplace(name, part.empty() ? name : part + "/" + name);
        continue;
      }
      filled_.insert(name);
      if (found == classes.end()) {
        builder_.problem("",
                         fmt::format("{}: class folder \"{}\" is not among those of {}",
                                     place(part), name, parts_.front()),
                         name);
        continue;
      }
      for (const size_t file : files) {
        builder_.take(split, file, static_cast<int>(found - classes.begin()));
      }
    }
  }

  // Reports archives of two splits in one folder.
  void check_archives(const std::string& part) {
    std::map<SplitWord, std::string> words;
    for (const SourceFile& file : tree().files()) {
      const std::string archive(file.archive());
      if (archive.empty() || fs::path(archive).parent_path() != part) continue;
      const SplitWord word = split_word_in(archive);
      if (word != SplitWord::kNone) words.emplace(word, archive);
    }
    if (words.size() < 2) return;
    for (const auto& [word, archive] : words) {
      builder_.problem("split-names",
                       "archives whose names say different splits are in one folder; move them "
                       "into folders train and val",
                       archive);
    }
  }

  void check_class_names(const std::string& part, const PartListing& listing) {
    for (const std::string& name : listing.classes) {
      const std::string path = part.empty() ? name : part + "/" + name;
      const std::string why = unfit_class(name);
      if (!why.empty()) {
        builder_.problem("", fmt::format("the name of a class {}; rename it", why), path);
      }
      if (!part.empty() && split_word(name) != SplitWord::kNone) {
        builder_.problem("split-names", "folders that look like splits are among the classes",
                         path);
      }
      if (!tree().has_folder(path)) continue;
      for (const std::string& below : tree().folders_in(path)) {
        if (split_word(below) == SplitWord::kNone || split_word(below) == SplitWord::kVariant) {
          continue;
        }
        builder_.problem("split-names",
                         "folders that look like splits are inside a class; name the folder that "
                         "holds the splits",
                         path + "/" + below);
      }
    }
  }

  // Reports class folders that hold other files, and classes that are empty in every split.
  void report_empty_classes() {
    for (const auto& [name, path] : empty_) {
      const std::string prefix = path + "/";
      const bool holds =
          std::any_of(tree().files().begin(), tree().files().end(), [&](const SourceFile& file) {
            return file.path.starts_with(prefix) && file.why != PassedOver::kHidden &&
                   file.why != PassedOver::kSystemFile;
          });
      if (!holds && filled_.contains(name)) continue;
      builder_.problem("empty-classes", "class folders without a JPEG or PNG", path);
    }
  }

  const ImportJob& job_;
  const std::string masks_;
  PlanBuilder builder_;
  bool has_splits_ = false;
  std::vector<std::string> parts_;
  std::multimap<std::string, std::string> empty_;  // a part's classes without images; folder
  std::set<std::string> filled_;                   // classes with images
};

}  // namespace

ImportPlan plan_folder(const ImportJob& job, BoxIndex* boxes) {
  return FolderPlan(job, boxes).run();
}

}  // namespace remixer::data
