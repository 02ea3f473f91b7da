// SPDX-License-Identifier: Apache-2.0
// Recognises the layouts of published data sets, and plans an import.
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
  std::vector<std::string> notes;  // what the folder lacks compared to the published set
  std::vector<std::string> masks;  // files that may be masks of images, by path below the root
  BoxMatches boxes;                // of the given index
  // Layout, sign, problems, and every path of the root that is neither in `splits` nor in `masks`.
  ImportAccount account;
};

// Walks the folder once, without opening images. `boxes` may be null; they are matched with all
// images of the folder. Throws InputError if the folder has another layout; whatever else is not
// understood becomes one of the account's problems.
ImportPlan plan_import(const ImportJob& job, const PublishedSet& set, BoxIndex* boxes);

// The same for a user's own folder or archive.
ImportPlan plan_folder(const ImportJob& job, BoxIndex* boxes);
// For ImageNet's relatives: class folders, one split of class folders, ReaL.
ImportPlan plan_published(const ImportJob& job, const PublishedSet& set, BoxIndex* boxes);

// Builds a plan by deciding what becomes of each path of a tree.
class PlanBuilder {
 public:
  // `masks`: the folder whose images are masks, by path below the tree's root; or empty.
  PlanBuilder(SourceTree tree, const std::string& masks, BoxIndex* boxes);

  const SourceTree& tree() const { return tree_; }
  ImportPlan& plan() { return plan_; }
  bool is_image(size_t file) const;  // and not a mask
  bool is_open(size_t file) const { return state_[file] == State::kOpen; }

  // Call one of these once per file. An image whose name an index can't hold is skipped.
  void take(const std::string& split, size_t file, int label, std::vector<int> more_labels = {});
  void use(size_t file, const std::string& what_for);
  void pass(size_t file, const std::string& reason);

  // Reports a problem with one example; problems with equal `allow` and `text` are merged.
  void problem(const std::string& allow, const std::string& text, const std::string& example);

  // Skips the remaining files, with reason `rest`, and returns the plan.
  ImportPlan finish(const std::string& rest);

 private:
  enum class State : uint8_t { kOpen, kTaken, kUsed, kPassed, kMask };
  SourceTree tree_;
  std::vector<State> state_;
  ImportPlan plan_;
};

// The path as absolute, without an empty last component, which would end up in the ids.
std::filesystem::path plain_root(const std::filesystem::path& folder);

}  // namespace remixer::data
