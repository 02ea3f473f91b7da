// SPDX-License-Identifier: Apache-2.0
#include "core/image/source_tree.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>

#include "base/error.h"
#include "base/file.h"
#include "core/image/folders.h"
#include "core/image/image_files.h"
#include "core/image/tar_archive.h"

namespace remixer::data {

const char* passed_over_text(PassedOver why) {
  switch (why) {
    case PassedOver::kNot:
      return "an image";
    case PassedOver::kHidden:
      return "hidden";
    case PassedOver::kSystemFile:
      return "left by an operating system";
    case PassedOver::kOtherFormat:
      return "another format";
    case PassedOver::kArchive:
      return "an archive that is not read here";
    case PassedOver::kLinkNowhere:
      return "a link that leads nowhere";
    case PassedOver::kLinkCycle:
      return "a link to a folder that contains it";
    case PassedOver::kUnreadable:
      return "may not be read";
    case PassedOver::kSpecial:
      return "neither file nor folder";
  }
  return "";
}

std::string SourceFile::suffix() const {
  const size_t slash = path.rfind('/') + 1;  // 0 if there is none
  const size_t dot = path.rfind('.');
  if (dot == std::string::npos || dot <= slash) return {};
  std::string text = path.substr(dot);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

namespace {

PassedOver by_name(std::string_view name) {
  if (name.starts_with('.')) return PassedOver::kHidden;
  for (const char* known : {"__MACOSX", "Thumbs.db", "desktop.ini", "@eaDir"}) {
    if (name == known) return PassedOver::kSystemFile;
  }
  return PassedOver::kNot;
}

bool is_packed(const std::string& suffix) {
  for (const char* known : {".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".zip", ".7z", ".rar"}) {
    if (suffix == known) return true;
  }
  return false;
}

PassedOver by_suffix(const SourceFile& file) {
  if (is_image(file.path)) return PassedOver::kNot;
  return is_packed(file.suffix()) ? PassedOver::kArchive : PassedOver::kOtherFormat;
}

}  // namespace

class TreeWalker {
 public:
  TreeWalker(SourceTree& tree, const SourceTree::Opens& opens) : tree_(tree), opens_(opens) {}

  // `above`: the reason why everything in this folder is skipped, or kNot.
  void add_folder(const fs::path& folder, const std::string& below, PassedOver above) {
    struct stat status {};
    const bool known = ::stat(folder.c_str(), &status) == 0;
    const Place place{status.st_dev, status.st_ino};
    if (known && std::find(ancestors_.begin(), ancestors_.end(), place) != ancestors_.end()) {
      return add(below, above, PassedOver::kLinkCycle);
    }
    std::error_code code;
    fs::directory_iterator entry(folder, code);
    if (!known || code) return unreadable(folder, below, above, code);
    if (!below.empty() && above == PassedOver::kNot) tree_.folders_.push_back(below);
    ancestors_.push_back(place);
    for (const fs::directory_iterator end; entry != end && !code; entry.increment(code)) {
      add_entry(entry->path(), below, above);
    }
    ancestors_.pop_back();
    if (code) unreadable(folder, below, above, code);
  }

  void add_archive(const fs::path& path, const std::string& below) {
    tree_.folders_.push_back(below);
    const auto archive = open_archive(path);
    for (const auto& [name, member] : archive->members()) add_member(below, name, PassedOver::kNot);
    for (const auto& [name, why] : archive->others()) add_member(below, name, why);
  }

  void finish() {
    std::sort(tree_.files_.begin(), tree_.files_.end(),
              [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
    std::sort(tree_.folders_.begin(), tree_.folders_.end());
  }

 private:
  using Place = std::pair<dev_t, ino_t>;

  void add_entry(const fs::path& path, const std::string& parent, PassedOver above) {
    const std::string name = path.filename().string();
    const std::string below = parent.empty() ? name : parent + "/" + name;
    const PassedOver inherited = above == PassedOver::kNot ? by_name(name) : above;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
      const bool forbidden = errno == EACCES || errno == EPERM;
      return add(below, inherited, forbidden ? PassedOver::kUnreadable : PassedOver::kLinkNowhere);
    }
    if (S_ISDIR(status.st_mode)) return add_folder(path, below, inherited);
    if (!S_ISREG(status.st_mode)) return add(below, inherited, PassedOver::kSpecial);
    SourceFile file{below};
    if (inherited == PassedOver::kNot && file.suffix() == ".tar" && opens_(below)) {
      return add_archive(path, below);
    }
    add(below, inherited, by_suffix(file));
  }

  void add_member(const std::string& archive, const std::string& name, PassedOver why) {
    SourceFile file{archive + "/" + name, archive.size(), why};
    if (why == PassedOver::kNot) {
      file.why = by_suffix(file);
      for (const fs::path& part : fs::path(name)) {
        const PassedOver found = by_name(part.string());
        if (found != PassedOver::kNot) file.why = found;
      }
    }
    tree_.files_.push_back(std::move(file));
  }

  void add(const std::string& below, PassedOver above, PassedOver own) {
    tree_.files_.push_back({below, 0, above == PassedOver::kNot ? own : above});
  }

  void unreadable(const fs::path& folder, const std::string& below, PassedOver above,
                  const std::error_code& code) {
    if (below.empty()) fail("cannot read {}: {}", folder.string(), code.message());
    add(below, above, PassedOver::kUnreadable);
  }

  SourceTree& tree_;
  const SourceTree::Opens& opens_;
  std::vector<Place> ancestors_;
};

SourceTree SourceTree::walk(const fs::path& root, const Opens& opens) {
  if (!fs::is_directory(root)) fail_input("{} is not a folder", root.string());
  SourceTree tree;
  tree.root_ = root;
  TreeWalker walker(tree, opens);
  walker.add_folder(root, "", PassedOver::kNot);
  walker.finish();
  return tree;
}

SourceTree SourceTree::of_archive(const fs::path& archive) {
  SourceTree tree;
  tree.root_ = archive.parent_path();
  const Opens opens = open_all;
  TreeWalker walker(tree, opens);
  walker.add_archive(archive, archive.filename().string());
  walker.finish();
  return tree;
}

std::vector<std::string> SourceTree::folders_in(const std::string& below) const {
  const std::string prefix = below.empty() ? "" : below + "/";
  std::vector<std::string> names;
  for (auto folder = std::lower_bound(folders_.begin(), folders_.end(), prefix);
       folder != folders_.end() && folder->starts_with(prefix); ++folder) {
    std::string name = folder->substr(prefix.size());
    if (name.empty() || name.find('/') != std::string::npos) continue;
    if (fs::is_directory(root_ / *folder)) names.push_back(std::move(name));
  }
  sort_folders(names);
  return names;
}

bool SourceTree::has_folder(const std::string& path) const {
  return path.empty() || std::binary_search(folders_.begin(), folders_.end(), path);
}

}  // namespace remixer::data
