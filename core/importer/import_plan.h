// SPDX-License-Identifier: Apache-2.0
// Recognises the layouts in which data sets are published, and plans an import.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/dataset/boxes.h"
#include "core/dataset/dataset.h"
#include "core/dataset/published_sets.h"
#include "core/image/source_tree.h"
#include "core/importer/account.h"
#include "core/importer/importer.h"

namespace remixer::data {

struct ImportPlan {
  std::filesystem::path root;  // absolute; sample ids are paths below it
  std::vector<std::string> classes;
  std::map<std::string, std::vector<Sample>> splits;  // without boxes and masks
  int64_t released_count = 0;
  std::vector<std::string> notes;  // what the folder lacks of what was published
  std::vector<std::string> masks;  // files that may be masks of images, by path below the root
  BoxMatches boxes;                // of the index that was given
  // Layout, sign, problems, and every path of the root that is neither in `splits` nor in `masks`.
  ImportAccount account;
};

// Walks the folder once; opens no image. `boxes` may be null; they are matched with all images of
// the folder. Throws InputError where the folder is laid out otherwise; what else was not
// understood is among the account's problems.
ImportPlan plan_import(const ImportJob& job, const PublishedSet& set, BoxIndex* boxes);

// The same of a user's own folder or archive.
ImportPlan plan_folder(const ImportJob& job, BoxIndex* boxes);
// Of ImageNet's relatives: class folders, one split of class folders, ReaL.
ImportPlan plan_published(const ImportJob& job, const PublishedSet& set, BoxIndex* boxes);

// Collects a plan: what becomes of each path of a tree.
class PlanBuilder {
 public:
  // `masks`: the folder whose images are masks, by path below the tree's root; or empty.
  PlanBuilder(SourceTree tree, const std::string& masks, BoxIndex* boxes);

  const SourceTree& tree() const { return tree_; }
  ImportPlan& plan() { return plan_; }
  bool is_image(size_t file) const;  // and no mask
  bool is_open(size_t file) const { return state_[file] == State::kOpen; }

  // Each file is for one of these, once. An image whose name an index can't hold is passed over.
  void take(const std::string& split, size_t file, int label, std::vector<int> more_labels = {});
  void use(size_t file, const std::string& what_for);
  void pass(size_t file, const std::string& reason);

  // Notes a problem of one thing; those of equal `allow` and `text` are one.
  void problem(const std::string& allow, const std::string& text, const std::string& example);

  // Passes over what is left, for `rest`, and gives the plan away.
  ImportPlan finish(const std::string& rest);

 private:
  enum class State : uint8_t { kOpen, kTaken, kUsed, kPassed, kMask };
  SourceTree tree_;
  std::vector<State> state_;
  ImportPlan plan_;
};

// An absolute path without an empty last part, which would end in the ids' first one.
std::filesystem::path plain_root(const std::filesystem::path& folder);

}  // namespace remixer::data
