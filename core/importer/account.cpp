// SPDX-License-Identifier: Apache-2.0
#include "core/importer/account.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/one_line.h"
#include "base/utf8.h"
#include "core/image/source_tree.h"

namespace remixer::data {
namespace {

// A name in a form that JSON can hold: non-UTF-8 bytes are escaped.
std::string shown(const std::string& text) {
  std::string line = one_line(text);
  if (is_utf8(line)) return line;
  std::string escaped;
  for (const char c : line) {
    const auto code = static_cast<unsigned char>(c);
    escaped += code < 0x80 ? std::string(1, c) : fmt::format("\\x{:02x}", code);
  }
  return escaped;
}

std::string suffix_of(const std::string& path) {
  const std::string suffix = SourceFile{path, 0, PassedOver::kNot}.suffix();
  return suffix.empty() || suffix.size() > 12 ? "(no suffix)" : shown(suffix);
}

struct Group {
  int64_t count = 0;
  std::map<std::string, int64_t> suffixes;
  std::vector<std::string> paths;  // at most `most`
};

std::map<std::string, Group> by_reason(const std::vector<ImportAccount::Path>& paths, size_t most) {
  std::map<std::string, Group> groups;
  for (const auto& [path, reason] : paths) {
    Group& group = groups[reason];
    ++group.count;
    ++group.suffixes[suffix_of(path)];
    if (group.paths.size() < most) group.paths.push_back(shown(path));
  }
  return groups;
}

int64_t sum(const std::vector<int64_t>& counts) {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

std::vector<std::string> classes_without(const ImportAccount& account,
                                         const std::vector<int64_t>& counts) {
  std::vector<std::string> names;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) names.push_back(shown(account.classes[i]));
  }
  return names;
}

std::string listed(const std::vector<std::string>& names, size_t most) {
  std::string text;
  for (size_t i = 0; i < std::min(most, names.size()); ++i) {
    text += fmt::format("{}{}", i ? ", " : "", shown(names[i]));
  }
  if (names.size() > most) text += fmt::format(" and {} more", names.size() - most);
  return text;
}

class Text {
 public:
  explicit Text(const ImportAccount& account) : account_(account) {}

  std::string run() {
    line("read as", account_.layout.empty()
                        ? account_.kind
                        : fmt::format("{} ({})", account_.layout, account_.sign));
    line("paths",
         fmt::format("{} seen: {} taken, {} used beside them, {} skipped", account_.seen,
                     account_.taken.size(), account_.used.size(), account_.passed_over.size()));
    add_groups("used", account_.used);
    add_groups("skipped", account_.passed_over);
    add_splits();
    add_boxes();
    add_equal("equal images in two splits", account_.equal_across);
    add_equal("equal images in one split", account_.equal_within);
    for (const ImportProblem& problem : account_.allowed) {
      line("allowed", fmt::format("{}: {}", problem.allow, problem.text));
    }
    for (const ImportProblem& problem : account_.problems) {
      line("problem", problem.text + examples(problem));
    }
    return std::move(text_);
  }

 private:
  void line(std::string_view what, std::string_view text) {
    text_ += fmt::format("{:<12} {}\n", what, text);
  }

  static std::string examples(const ImportProblem& problem) {
    if (problem.examples.empty()) return {};
    std::string text = ": " + listed(problem.examples, kAccountExamples);
    const auto named = static_cast<int64_t>(std::min(problem.examples.size(), kAccountExamples));
    if (problem.count > static_cast<int64_t>(problem.examples.size())) {
      text += fmt::format(" and {} more", problem.count - named);
    }
    return text;
  }

  void add_groups(std::string_view what, const std::vector<ImportAccount::Path>& paths) {
    for (const auto& [reason, group] : by_reason(paths, 2)) {
      std::string suffixes;
      for (const auto& [suffix, count] : group.suffixes) {
        suffixes += fmt::format("{}{} {}", suffixes.empty() ? "" : ", ", count, suffix);
      }
      line(what, fmt::format("{}: {} ({}), such as {}", reason, group.count, suffixes,
                             fmt::join(group.paths, ", ")));
    }
  }

  void add_splits() {
    for (const auto& [split, counts] : account_.images) {
      const auto without = classes_without(account_, counts);
      const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
      line(shown(split),
           fmt::format("{} images of {} classes, {} to {} images a class{}", sum(counts),
                       counts.size() - without.size(), least == counts.end() ? 0 : *least,
                       most == counts.end() ? 0 : *most,
                       without.empty() ? "" : fmt::format("; none of {}", listed(without, 5))));
    }
  }

  void add_boxes() {
    if (account_.has_boxes) {
      line("boxes",
           fmt::format("{} of {} rows matched an image, {} did not; {} images have boxes, {} have "
                       "none",
                       account_.box_rows_matched, account_.box_rows,
                       account_.box_rows - account_.box_rows_matched, account_.with_boxes,
                       account_.without_boxes));
      if (!account_.boxes_unmatched.empty()) {
        line("", "of no image: " + listed(account_.boxes_unmatched, kAccountExamples));
      }
    }
    if (account_.masks + account_.masks_unmatched > 0) {
      line("masks",
           fmt::format("{} of an image, {} of none", account_.masks, account_.masks_unmatched));
    }
  }

  void add_equal(std::string_view what, const std::vector<std::string>& pairs) {
    if (pairs.empty()) return;
    line("equal", fmt::format("{} {}: {}", pairs.size(), what, listed(pairs, kAccountExamples)));
  }

  const ImportAccount& account_;
  std::string text_;
};

Json cut(const std::vector<std::string>& names) {
  Json list = Json::array();
  for (size_t i = 0; i < std::min(kAccountPaths, names.size()); ++i)
    list.push_back(shown(names[i]));
  return list;
}

Json groups_json(const std::vector<ImportAccount::Path>& paths) {
  Json list = Json::array();
  for (const auto& [reason, group] : by_reason(paths, kAccountPaths)) {
    list.push_back({{"reason", reason},
                    {"count", group.count},
                    {"suffixes", group.suffixes},
                    {"paths", group.paths}});
  }
  return list;
}

Json problems_json(const std::vector<ImportProblem>& problems) {
  Json list = Json::array();
  for (const ImportProblem& problem : problems) {
    list.push_back({{"allow", problem.allow},
                    {"text", shown(problem.text)},
                    {"count", problem.count},
                    {"examples", cut(problem.examples)}});
  }
  return list;
}

}  // namespace

const std::map<std::string, std::string>& import_allowances() {
  static const std::map<std::string, std::string> known = {
      {"ambiguous-boxes", "boxes that fit several images are left out"},
      {"broken-links", "links that lead nowhere are skipped"},
      {"empty-classes", "class folders without an image that is read"},
      {"loose-images", "images outside any class are skipped"},
      {"names", "images whose names an index can't hold are skipped"},
      {"numbers", "numbered folders without 0 are class indices from 0"},
      {"other-class", "images whose file names say another class than their folder"},
      {"shard-names", "archives that are named like shards are one class each"},
      {"split-names", "folders with names of splits are taken for classes"},
      {"unknown-classes", "folders that are not a class of the set are skipped"},
      {"unreadable", "folders that may not be read are skipped"},
      {"unused-boxes", "boxes are ignored if none fits an image"},
      {"unused-masks", "masks are ignored if none fits an image"}};
  return known;
}

std::string account_text(const ImportAccount& account) {
  return Text(account).run();
}

Json account_json(const ImportAccount& account) {
  Json splits = Json::object();
  for (const auto& [split, counts] : account.images) {
    Json by_class = Json::object();
    for (size_t i = 0; i < counts.size(); ++i) by_class[shown(account.classes[i])] = counts[i];
    splits[shown(split)] = {{"images", sum(counts)},
                            {"by_class", std::move(by_class)},
                            {"classes_without_images", classes_without(account, counts)}};
  }
  Json json = {{"format", 1},
               {"kind", account.kind},
               {"source", shown(account.source)},
               {"layout", account.layout},
               {"recognised_by", shown(account.sign)},
               {"paths", account.seen},
               {"taken", account.taken.size()},
               {"used", groups_json(account.used)},
               {"passed_over", groups_json(account.passed_over)},
               {"splits", std::move(splits)},
               {"masks", {{"matched", account.masks}, {"unmatched", account.masks_unmatched}}},
               {"equal_in_two_splits",
                {{"count", account.equal_across.size()}, {"pairs", cut(account.equal_across)}}},
               {"equal_in_one_split",
                {{"count", account.equal_within.size()}, {"pairs", cut(account.equal_within)}}},
               {"allowed", problems_json(account.allowed)},
               {"problems", problems_json(account.problems)}};
  if (account.has_boxes) {
    json["boxes"] = {{"source", shown(account.box_source)},
                     {"rows", account.box_rows},
                     {"rows_matched", account.box_rows_matched},
                     {"rows_unmatched", account.box_rows - account.box_rows_matched},
                     {"unmatched", cut(account.boxes_unmatched)},
                     {"ambiguous", cut(account.boxes_ambiguous)},
                     {"images_with", account.with_boxes},
                     {"images_without", account.without_boxes}};
  }
  return json;
}

}  // namespace remixer::data
