// SPDX-License-Identifier: Apache-2.0
#include "core/dataset/file_stamps.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "base/parse_number.h"
#include "core/image/image_files.h"

namespace remixer::data {
namespace {

constexpr std::string_view kHeader = "path\tsize\tmodified_ns\tsha256\n";

// Result of checking one file.
enum class Finding : uint8_t { kSame, kTouched, kChanged, kMissing, kUnknown };

Finding compare(const fs::path& path, FileStamp& stamp) {
  const auto now = look_at(path);
  if (!now) return Finding::kMissing;
  if (now->size == stamp.size && now->modified == stamp.modified) return Finding::kSame;
  const auto bytes = read_image_bytes_if_exists(path);
  if (!bytes) return Finding::kMissing;
  if (sha256_hex(*bytes) != stamp.sha256) return Finding::kChanged;
  stamp.size = now->size;
  stamp.modified = now->modified;
  return Finding::kTouched;
}

int64_t number(std::string_view text, const std::string& where) {
  const auto value = parse_number<int64_t>(text);
  if (!value) fail_input("{}: \"{}\" is not a whole number; import the dataset again", where, text);
  return *value;
}

}  // namespace

std::optional<FileStamp> look_at(const fs::path& path) {
  struct stat status {};
  int result = ::stat(path.c_str(), &status);
  if (result != 0) {
    const fs::path archive = archive_of(path);
    if (archive.empty()) return std::nullopt;
    result = ::stat(archive.c_str(), &status);
  }
  if (result != 0) return std::nullopt;
  return FileStamp{
      status.st_size, int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec, {}};
}

std::string stamps_name(const fs::path& root) {
  return fmt::format("files.{}.tsv", sha256_hex(root.string()).substr(0, 12));
}

std::string stamps_text(const std::map<std::string, FileStamp>& stamps) {
  std::string text(kHeader);
  for (const auto& [path, stamp] : stamps) {
    text += fmt::format("{}\t{}\t{}\t{}\n", path, stamp.size, stamp.modified, stamp.sha256);
  }
  return text;
}

std::map<std::string, FileStamp> parse_stamps(const std::string& text, const std::string& name) {
  if (!text.starts_with(kHeader) || !text.ends_with('\n')) {
    fail_input("{} is torn; import the dataset again", name);
  }
  std::map<std::string, FileStamp> stamps;
  int64_t line = 1;
  for (size_t begin = kHeader.size(); begin < text.size();) {
    const std::string where = fmt::format("{}:{}", name, ++line);
    const size_t end = text.find('\n', begin);
    std::string_view row = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    std::array<std::string_view, 4> fields;
    for (size_t i = 0; i < 4; ++i) {
      const size_t tab = row.find('\t');
      if ((tab == std::string_view::npos) != (i == 3)) {
        fail_input("{} has not four columns; import the dataset again", where);
      }
      fields[i] = row.substr(0, tab);
      row.remove_prefix(i == 3 ? row.size() : tab + 1);
    }
    stamps[std::string(fields[0])] = {number(fields[1], where), number(fields[2], where),
                                      std::string(fields[3])};
  }
  return stamps;
}

void check_files(const Dataset& dataset) {
  if (dataset.root() == dataset.folder()) return;
  const fs::path file = dataset.folder() / stamps_name(dataset.root());
  const auto text = read_file_if_exists(file);
  if (!text) return;
  std::map<std::string, FileStamp> stamps = parse_stamps(*text, file.string());
  std::set<std::string> unique;
  for (const Sample& sample : dataset.samples()) {
    unique.insert(sample.id);
    if (!sample.mask.empty()) unique.insert(sample.mask);
  }
  const std::vector<std::string> paths(unique.begin(), unique.end());
  std::vector<FileStamp*> known(paths.size());
  for (size_t i = 0; i < paths.size(); ++i) {
    const auto found = stamps.find(paths[i]);
    known[i] = found == stamps.end() ? nullptr : &found->second;
  }
  std::vector<Finding> findings(paths.size());
  parallel_for(static_cast<int64_t>(paths.size()), 0, [&](int64_t i) {
    const auto at = static_cast<size_t>(i);
    findings[at] = known[at] ? compare(dataset.root() / paths[at], *known[at]) : Finding::kUnknown;
  });
  std::vector<std::string> wrong;
  for (size_t i = 0; i < paths.size(); ++i) {
    if (findings[i] == Finding::kChanged) wrong.push_back(paths[i] + " has other bytes now");
    if (findings[i] == Finding::kMissing) wrong.push_back(paths[i] + " is missing");
  }
  if (!wrong.empty()) {
    fail_input(
        "{} of {} files below {} are not those that were imported: {}{}; put them back, or import "
        "them as another dataset (`remixer dataset import`)",
        wrong.size(), paths.size(), dataset.root().string(), wrong.front(),
        wrong.size() > 1 ? ", ..." : "");
  }
  if (std::find(findings.begin(), findings.end(), Finding::kTouched) == findings.end()) return;
  try {
    write_file_atomic(file, stamps_text(stamps));
  } catch (const Error&) {
    // The files are hashed again next time.
  }
}

}  // namespace remixer::data
