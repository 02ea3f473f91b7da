// SPDX-License-Identifier: Apache-2.0
#include "core/importer/import_plan.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "core/builders/background_challenge.h"
#include "core/dataset/imagenet_classes.h"
#include "core/image/folders.h"
#include "core/importer/naming.h"

namespace remixer::data {

namespace {

constexpr size_t kExamples = 20;

// The benchmark's own mixed images are called fg_<object>_bg_<background>. The background in the
// names of its Mixed-Rand is unreliable (they are Mixed-Next's names), so it is not used.
ImportPlan plan_release(const ImportJob& job, BoxIndex* boxes) {
  fs::path root = plain_root(job.folder);
  // The archive's top-level folder.
  if (!fs::is_directory(root / "original") && fs::is_directory(root / "bg_challenge")) {
    root /= "bg_challenge";
  }
  PlanBuilder builder(SourceTree::walk(root), "", boxes);
  ImportPlan& plan = builder.plan();
  plan.account.layout = "VARIANT/val/CLASS/IMAGE";
  plan.classes = {imagenet9_class_names().begin(), imagenet9_class_names().end()};
  for (const char* variant : kVariants) {
    for (const auto& [part, named] : {std::pair{"train", std::string("train_") + variant},
                                      std::pair{"val", std::string(variant)}}) {
      const std::string below = fmt::format("{}/{}", variant, part);
      const std::string split = named == "train_original" ? "train" : named;
      if (!builder.tree().has_folder(below)) continue;
      const std::vector<std::string> folders = builder.tree().folders_in(below);
      const auto labels = imagenet9_of_classes(folders);
      if (!labels || folders.size() != kImageNet9Classes) {
        fail_input("{} must hold ImageNet-9's nine class folders, 00_dog to 08_fish; it holds {}",
                   (root / below).string(), fmt::join(folders, ", "));
      }
      plan.account.sign += (plan.account.sign.empty() ? "folders " : ", ") + below;
      plan.splits[split];
      for (size_t i = 0; i < folders.size(); ++i) {
        const std::string prefix = below + "/" + folders[i] + "/";
        bool any = false;
        for (size_t file = 0; file < builder.tree().files().size(); ++file) {
          if (!builder.is_image(file) || !builder.tree().files()[file].path.starts_with(prefix)) {
            continue;
          }
          any = true;
          builder.take(split, file, (*labels)[i]);
        }
        if (!any) builder.problem("empty-classes", "class folders without a JPEG or PNG", prefix);
      }
    }
  }
  if (plan.splits.empty()) {
    fail_input("{} holds none of the Background Challenge's variants (original/val/00_dog/...)",
               job.folder.string());
  }
  return builder.finish("outside the variants' folders");
}

}  // namespace

fs::path plain_root(const fs::path& folder) {
  fs::path root = fs::absolute(folder).lexically_normal();
  if (!root.has_filename()) root = root.parent_path();
  const std::string why = unfit_path(root.string().substr(1));
  if (!why.empty() && root != "/") {
    fail_input("the path of {} {}; rename the folder", root.string(), why);
  }
  return root;
}

PlanBuilder::PlanBuilder(SourceTree tree, const std::string& masks, BoxIndex* boxes)
    : tree_(std::move(tree)), state_(tree_.files().size(), State::kOpen) {
  plan_.root = tree_.root();
  plan_.account.source = plan_.root.string();
  const std::string prefix = masks + "/";
  std::vector<std::string> images;
  for (size_t i = 0; i < state_.size(); ++i) {
    const SourceFile& file = tree_.files()[i];
    if (file.why != PassedOver::kNot) continue;
    if (!masks.empty() && file.path.starts_with(prefix)) {
      state_[i] = State::kMask;
    } else {
      images.push_back(file.path);
    }
  }
  if (boxes) plan_.boxes = boxes->match(images);
}

bool PlanBuilder::is_image(size_t file) const {
  return tree_.files()[file].why == PassedOver::kNot && state_[file] != State::kMask;
}

void PlanBuilder::take(const std::string& split, size_t file, int label,
                       std::vector<int> more_labels) {
  const std::string& path = tree_.files()[file].path;
  const std::string why = unfit_path(path);
  if (!why.empty()) {
    problem("names", fmt::format("the path of an image {}; rename it", why), path);
    return pass(file, "its path " + why);
  }
  Sample sample;
  sample.id = path;
  sample.label = label;
  sample.more_labels = std::move(more_labels);
  state_[file] = State::kTaken;
  plan_.splits[split].push_back(std::move(sample));
}

void PlanBuilder::use(size_t file, const std::string& what_for) {
  state_[file] = State::kUsed;
  plan_.account.used.push_back({tree_.files()[file].path, what_for});
}

void PlanBuilder::pass(size_t file, const std::string& reason) {
  state_[file] = State::kPassed;
  plan_.account.passed_over.push_back({tree_.files()[file].path, reason});
}

void PlanBuilder::problem(const std::string& allow, const std::string& text,
                          const std::string& example) {
  auto& problems = plan_.account.problems;
  auto found = std::find_if(problems.begin(), problems.end(), [&](const ImportProblem& known) {
    return known.allow == allow && known.text == text;
  });
  if (found == problems.end()) found = problems.insert(problems.end(), {allow, text, {}, 0});
  ++found->count;
  if (found->examples.size() < kExamples) found->examples.push_back(example);
}

ImportPlan PlanBuilder::finish(const std::string& rest) {
  for (size_t i = 0; i < state_.size(); ++i) {
    const SourceFile& file = tree_.files()[i];
    if (file.why == PassedOver::kLinkNowhere) {
      problem("broken-links", "links that lead nowhere; mend or remove them", file.path);
    } else if (file.why == PassedOver::kUnreadable) {
      problem("unreadable", "what may not be read; give yourself the right to", file.path);
    }
    if (state_[i] == State::kMask) plan_.masks.push_back(file.path);
    if (state_[i] != State::kOpen) continue;
    pass(i, file.why == PassedOver::kNot ? rest : passed_over_text(file.why));
  }
  plan_.account.seen = static_cast<int64_t>(state_.size());
  return std::move(plan_);
}

ImportPlan plan_import(const ImportJob& job, const PublishedSet& set, BoxIndex* boxes) {
  const bool shard = set.layout == SetLayout::kImageFolder && fs::is_regular_file(job.folder) &&
                     job.folder.extension() == ".tar";
  if (!shard && !fs::is_directory(job.folder)) {
    fail_input("{} is not a folder", job.folder.string());
  }
  switch (set.layout) {
    case SetLayout::kChallengeRelease:
      return plan_release(job, boxes);
    case SetLayout::kImageFolder:
      return plan_folder(job, boxes);
    case SetLayout::kReal:
    case SetLayout::kClassFolders:
    case SetLayout::kOneSplit:
      break;
  }
  return plan_published(job, set, boxes);
}

}  // namespace remixer::data
