// SPDX-License-Identifier: Apache-2.0
#include "core/dataset/boxes.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/one_line.h"
#include "core/dataset/box_table.h"
#include "core/image/source_tree.h"

namespace remixer::data {

namespace {

// Uses '/' between folders, whichever system wrote the name.
std::string with_slashes(std::string_view path) {
  std::string text(path);
  std::replace(text.begin(), text.end(), '\\', '/');
  while (text.starts_with("./")) text.erase(0, 2);
  return text;
}

// "a/b.JPEG" becomes "a/b". Names may contain dots: only a short suffix of letters is removed.
std::string_view without_suffix(std::string_view path) {
  const size_t dot = path.rfind('.');
  if (dot == std::string_view::npos || path.size() - dot > 5 || dot + 1 == path.size()) return path;
  const std::string_view suffix = path.substr(dot + 1);
  const bool letters = std::all_of(suffix.begin(), suffix.end(),
                                   [](unsigned char c) { return std::isalpha(c) != 0; });
  return letters && path.find('/', dot) == std::string_view::npos ? path.substr(0, dot) : path;
}

std::string_view file_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// The path without its first folder; empty if it has none.
std::optional<std::string_view> tail(std::string_view path) {
  const size_t slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  return path.substr(slash + 1);
}

std::set<std::string, std::less<>> folders_of(std::string_view path) {
  std::set<std::string, std::less<>> folders;
  for (auto rest = std::optional(path); rest; rest = tail(*rest)) {
    const size_t slash = rest->find('/');
    if (slash != std::string_view::npos) folders.emplace(rest->substr(0, slash));
  }
  return folders;
}

bool ends_with_path(std::string_view path, std::string_view end) {
  return path == end || (path.size() > end.size() && path.ends_with(end) &&
                         path[path.size() - end.size() - 1] == '/');
}

constexpr size_t kNone = ~size_t{0}, kSeveral = kNone - 1;

// Positions by a key; a key that occurs twice does not count.
using Unique = std::unordered_map<std::string_view, size_t>;
void put_unique(Unique& map, std::string_view key, size_t position) {
  const auto [found, is_new] = map.try_emplace(key, position);
  if (!is_new) found->second = kSeveral;
}
size_t get(const Unique& map, std::string_view key) {
  const auto found = map.find(key);
  return found == map.end() ? kNone : found->second;
}

}  // namespace

std::string fit_box(Box& box, int width, int height) {
  if (box.x0 > box.x1 || box.y0 > box.y1) return "its box's corners are swapped";
  if (box.x0 < 0 || box.y0 < 0 || box.x1 > width || box.y1 > height || box.x0 >= width ||
      box.y0 >= height) {
    return "its box lies outside the image";
  }
  box.x1 = std::min(box.x1, width - 1);
  box.y1 = std::min(box.y1, height - 1);
  return {};
}

BoxIndex BoxIndex::open(const fs::path& path) {
  BoxIndex index;
  if (fs::is_directory(path)) {
    index.add_folder(path);
    if (index.entries_.empty()) fail_input("{} holds no .xml file", path.string());
  } else {
    index.add_table(path, "");
    if (index.entries_.empty()) fail_input("{} holds no box", path.string());
  }
  return index;
}

BoxIndex::Entry& BoxIndex::entry(const std::string& image) {
  const std::string name = with_slashes(image);
  const auto [found, is_new] =
      by_path_.try_emplace(std::string(without_suffix(name)), entries_.size());
  if (is_new) entries_.emplace_back().name = name;
  return entries_[found->second];
}

void BoxIndex::add_folder(const fs::path& folder) {
  const SourceTree tree = SourceTree::walk(folder);
  for (const SourceFile& file : tree.files()) {
    if (file.why == PassedOver::kLinkNowhere || file.why == PassedOver::kUnreadable) {
      fail_input("{}: {}", (folder / file.path).string(), passed_over_text(file.why));
    }
    if (file.why != PassedOver::kOtherFormat || file.suffix() != ".xml") continue;
    Entry& added = entry(file.path);
    if (!added.xml.empty()) {
      fail_input("{} and {} are annotations of one image; remove one", added.xml.string(),
                 (folder / file.path).string());
    }
    added.xml = folder / file.path;
    added.rows = 1;
  }
}

void BoxIndex::add_table(const fs::path& file, const std::string& folder) {
  read_box_table(read_file(file), file.string(), [&](BoxRow row) {
    if (!folder.empty()) row.image = folder + "/" + row.image;
    Entry& added = entry(row.image);
    ++added.rows;
    Annotation& annotation = added.annotation;
    if (annotation.boxes.empty()) {
      images_.push_back(row.image);
      annotation.object = row.object;
    }
    if (row.width > 0) annotation.width = row.width;
    if (row.height > 0) annotation.height = row.height;
    annotation.boxes.push_back(row.box);
  });
}

const BoxMatches& BoxIndex::match(const std::vector<std::string>& images) {
  std::vector<std::string> paths;  // of images, with '/' like the entries' names
  for (const std::string& image : images) paths.push_back(with_slashes(image));
  std::vector<std::string_view> keys;
  for (const std::string& path : paths) keys.push_back(without_suffix(path));

  // First: annotations whose path is a suffix of the image's path, the longest first.
  std::vector<std::vector<size_t>> claims(entries_.size());
  std::vector<bool> claimed(images.size());
  for (size_t i = 0; i < images.size(); ++i) {
    for (auto rest = std::optional(keys[i]); rest && !claimed[i]; rest = tail(*rest)) {
      const auto found = by_path_.find(std::string(*rest));
      if (found == by_path_.end()) continue;
      claims[found->second].push_back(i);
      claimed[i] = true;
    }
  }
  // Second: annotations whose path ends with the image's whole path.
  Unique by_key, by_name, entry_by_name;
  std::set<std::string, std::less<>> folders;
  for (size_t i = 0; i < images.size(); ++i) {
    put_unique(by_key, keys[i], i);
    put_unique(by_name, file_name(keys[i]), i);
    for (auto& folder : folders_of(keys[i])) folders.insert(folder);
  }
  for (const Entry& known : entries_) {
    put_unique(entry_by_name, file_name(without_suffix(known.name)),
               static_cast<size_t>(&known - entries_.data()));
  }
  for (size_t e = 0; e < entries_.size(); ++e) {
    const std::string_view key = without_suffix(entries_[e].name);
    for (auto rest = tail(key); rest && claims[e].empty(); rest = tail(*rest)) {
      const size_t image = rest->find('/') == std::string_view::npos ? kNone : get(by_key, *rest);
      if (image < kSeveral && !claimed[image]) claims[e].push_back(image);
    }
    if (!claims[e].empty()) continue;
    // Third: the bare file name.
    const size_t image = get(by_name, file_name(key));
    if (image >= kSeveral || claimed[image] || get(entry_by_name, file_name(key)) != e) continue;
    const auto own = folders_of(keys[image]), named = folders_of(key);
    const bool of_others = std::any_of(named.begin(), named.end(), [&](const std::string& folder) {
      return folders.contains(folder) && !own.contains(folder);
    });
    if (!of_others) claims[e].push_back(image);
  }
  for (size_t e = 0; e < entries_.size(); ++e) {
    Entry& known = entries_[e];
    matches_.rows += known.rows;
    std::vector<size_t>& fits = claims[e];
    // With both 1.jpg and 1.png, a row of "1.jpg" belongs to the former.
    std::vector<size_t> exact;
    for (const size_t i : fits) {
      if (ends_with_path(paths[i], known.name)) exact.push_back(i);
    }
    if (!exact.empty()) fits = exact;
    const auto whole =
        std::find_if(fits.begin(), fits.end(), [&](size_t i) { return paths[i] == known.name; });
    if (whole != fits.end()) fits = {*whole};
    if (fits.size() == 1) {
      by_image_.emplace(images[fits.front()], e);
      matches_.rows_matched += known.rows;
    } else if (fits.empty()) {
      matches_.unmatched.push_back(one_line(known.name));
    } else {
      matches_.ambiguous.push_back(one_line(fmt::format(
          "{} fits {}{}", known.name, fmt::format("{}, {}", images[fits[0]], images[fits[1]]),
          fits.size() > 2 ? fmt::format(" and {} more", fits.size() - 2) : "")));
    }
  }
  return matches_;
}

std::optional<Annotation> BoxIndex::find(std::string_view image) const {
  const auto found = by_image_.find(std::string(image));
  if (found == by_image_.end()) return std::nullopt;
  const Entry& known = entries_[found->second];
  if (!known.xml.empty()) return parse_voc(read_file(known.xml), known.xml.string());
  return known.annotation;
}

}  // namespace remixer::data
