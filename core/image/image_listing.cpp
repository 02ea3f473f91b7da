// SPDX-License-Identifier: Apache-2.0
#include "core/image/image_listing.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <map>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/parse_number.h"
#include "core/image/folders.h"
#include "core/image/image_files.h"
#include "core/image/tar_archive.h"

namespace remixer::data {
namespace {

// A sort key that orders numeric names as numbers, before all others.
std::pair<long long, std::string> sort_key(const std::string& name) {
  const auto value = parse_number<long long>(name);
  return {value && *value >= 0 ? *value : std::numeric_limits<long long>::max(), name};
}

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

// Shard-like names end in a number: "0001", "train-0001", "shard_3".
bool is_shard_like(const std::string& stem) {
  const size_t digits =
      static_cast<size_t>(std::find_if_not(stem.rbegin(), stem.rend(), is_digit) - stem.rbegin());
  if (digits == 0) return false;
  return digits == stem.size() ||
         !std::isalpha(static_cast<unsigned char>(stem[stem.size() - digits - 1]));
}

std::string first_line(const std::string& text) {
  std::string line = text.substr(0, text.find_first_of("\r\n"));
  const size_t begin = line.find_first_not_of(" \t"), end = line.find_last_not_of(" \t");
  return begin == std::string::npos ? "" : line.substr(begin, end - begin + 1);
}

// A sample's key, including its folder.
std::string key_of(const std::string& member) {
  const size_t slash = member.rfind('/');
  return member.substr(0, member.find('.', slash == std::string::npos ? 0 : slash + 1));
}

class PartLister {
 public:
  PartLister(const SourceTree& tree, const std::string& part, const std::string& without)
      : tree_(tree), part_(part), prefix_(part.empty() ? "" : part + "/"), without_(without) {}

  PartListing run() {
    std::map<std::string, std::vector<size_t>> archives;
    for (size_t i = 0; i < tree_.files().size(); ++i) {
      const SourceFile& file = tree_.files()[i];
      if (!file.path.starts_with(prefix_) || is_without(file.path)) continue;
      const std::string_view archive =
          file.archive().substr(std::min(file.archive_size, prefix_.size()));
      if (!archive.empty() && archive.find('/') == std::string_view::npos) {
        archives[std::string(file.archive())].push_back(i);
      } else if (file.why == PassedOver::kNot) {
        const std::string below = file.path.substr(prefix_.size());
        const size_t slash = below.find('/');
        add(i, slash == std::string::npos ? "" : below.substr(0, slash));
      }
    }
    for (const auto& [archive, files] : archives) add_archive(archive, files);
    for (const std::string& name : tree_.folders_in(part_)) {
      if (!is_without(prefix_ + name)) names_.insert(name);
    }
    names_.erase("");
    listing_.classes.assign(names_.begin(), names_.end());
    if (archives.empty()) {
      sort_folders(listing_.classes);
    } else {
      std::sort(listing_.classes.begin(), listing_.classes.end(),
                [](const auto& a, const auto& b) { return sort_key(a) < sort_key(b); });
    }
    std::sort(listing_.images.begin(), listing_.images.end(),
              [](const auto& a, const auto& b) { return a.file < b.file; });
    return std::move(listing_);
  }

 private:
  bool is_without(const std::string& path) const {
    return !without_.empty() && (path == without_ || path.starts_with(without_ + "/"));
  }

  void add(size_t file, const std::string& name) {
    listing_.images.push_back({file, name});
    names_.insert(name);
  }

  std::string member(size_t file) const {
    return tree_.files()[file].path.substr(tree_.files()[file].archive_size + 1);
  }

  void add_archive(const std::string& archive, const std::vector<size_t>& files) {
    std::map<std::string, size_t> labels;  // by key
    bool only_images = true, folders = false;
    for (const size_t i : files) {
      if (tree_.files()[i].why == PassedOver::kOtherFormat) {
        if (member(i).ends_with(".cls")) labels[key_of(member(i))] = i;
        only_images = false;
      }
      if (tree_.files()[i].why == PassedOver::kNot)
        folders |= member(i).find('/') != std::string::npos;
    }
    if (!labels.empty()) return add_samples(archive, files, labels);
    const std::string stem = fs::path(archive).stem().string();
    const bool is_class = only_images && !folders;
    bool any = false;
    for (const size_t i : files) {
      if (tree_.files()[i].why != PassedOver::kNot) continue;
      any = true;
      add(i, is_class ? stem : fs::path(member(i)).parent_path().filename().string());
    }
    if (is_class && any && is_shard_like(stem)) listing_.shard_like.push_back(archive);
  }

  void add_samples(const std::string& archive, const std::vector<size_t>& files,
                   const std::map<std::string, size_t>& labels) {
    const auto opened = open_archive(tree_.root() / archive);
    std::map<std::string, std::vector<size_t>> samples;
    for (const size_t i : files) {
      if (tree_.files()[i].why == PassedOver::kNot) samples[key_of(member(i))].push_back(i);
    }
    for (auto& [key, images] : samples) {
      const auto plain =
          std::stable_partition(images.begin(), images.end(), [&, &key = key](size_t i) {
            return fs::path(member(i)).replace_extension("").string() == key;
          });
      const auto own = plain - images.begin();
      if (images.size() > 1 && own != 1) {
        listing_.unclear.insert(listing_.unclear.end(), images.begin(), images.end());
        continue;
      }
      const auto label = labels.find(key);
      add(images.front(),
          label == labels.end() ? "" : first_line(opened->read(member(label->second))));
      listing_.further.insert(listing_.further.end(), images.begin() + 1, images.end());
    }
    for (const auto& [key, label] : labels) {
      if (samples.contains(key)) listing_.labels.push_back(label);
    }
  }

  const SourceTree& tree_;
  const std::string& part_;
  std::string prefix_;
  const std::string& without_;
  std::set<std::string> names_;
  PartListing listing_;
};

}  // namespace

PartListing list_part(const SourceTree& tree, const std::string& part, const std::string& without) {
  return PartLister(tree, part, without).run();
}

ImageListing list_images(const fs::path& root) {
  const bool archive = !fs::is_directory(root) && root.extension() == ".tar";
  if (!archive && !fs::is_directory(root)) {
    fail_input("{} is neither a folder nor a tar archive", root.string());
  }
  const SourceTree tree =
      archive ? SourceTree::of_archive(root) : SourceTree::walk(root, SourceTree::open_all);
  const PartListing part = list_part(tree, "", "");
  if (part.images.empty()) fail_input("{} holds no .jpg, .jpeg or .png", root.string());
  ImageListing listing;
  std::map<std::string, std::vector<std::string>> images;
  for (const PartListing::Image& image : part.images) {
    const SourceFile& file = tree.files()[image.file];
    if (image.name.empty()) {
      fail_input("{}: {} is in no class; put each class's images into a folder of its own",
                 root.string(), file.path);
    }
    images[image.name].push_back(archive ? file.path.substr(file.archive_size + 1) : file.path);
  }
  for (const std::string& name : part.classes) {
    const auto found = images.find(name);
    if (found == images.end()) continue;
    for (std::string& path : found->second) {
      listing.images.push_back({std::move(path), static_cast<int>(listing.classes.size())});
    }
    listing.classes.push_back(name);
  }
  return listing;
}

}  // namespace remixer::data
