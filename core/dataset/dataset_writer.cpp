// SPDX-License-Identifier: Apache-2.0
#include "core/dataset/dataset_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <fstream>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "experiments/spec/imported.h"

namespace remixer::data {

namespace {

// Files inside a folder under construction: the builder's lock, and the finished work.
constexpr const char* kLockFile = "building.lock";
constexpr const char* kNotesFile = "building.txt";

// Flushes the whole file system of `folder`: one call for all files written.
void flush_file_system(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail("cannot open {}: {}", folder.string(), errno_text(errno));
  const int result = ::syncfs(descriptor);
  const int code = errno;
  ::close(descriptor);
  if (result != 0) fail("cannot flush {}: {}", folder.string(), errno_text(code));
}

// "12", or "12,40" for an image with two objects.
std::string corner_text(const Sample& sample, int Box::*corner) {
  if (!sample.box) return {};
  std::string text = std::to_string((*sample.box).*corner);
  for (const Box& box : sample.more_boxes) text += fmt::format(",{}", box.*corner);
  return text;
}

std::string class_text(const std::vector<std::string>& classes, const Sample& sample) {
  std::string text = classes.at(static_cast<size_t>(sample.label));
  for (const int label : sample.more_labels) text += "|" + classes.at(static_cast<size_t>(label));
  return text;
}

std::string index_text(const std::vector<std::string>& classes,
                       const std::vector<Sample>& samples) {
  std::string text = fmt::format("{}\n", fmt::join(kIndexColumns, "\t"));
  for (const Sample& sample : samples) {
    text += fmt::format(
        "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", sample.id, class_text(classes, sample),
        corner_text(sample, &Box::x0), corner_text(sample, &Box::y0), corner_text(sample, &Box::x1),
        corner_text(sample, &Box::y1), sample.mask, sample.foreground, sample.background);
  }
  return text;
}

}  // namespace

DatasetWriter::DatasetWriter(fs::path folder, std::vector<std::string> classes, int image_size,
                             std::optional<experiments::DatasetSpec> spec, std::string resume)
    : folder_(std::move(folder)),
      classes_(std::move(classes)),
      image_size_(image_size),
      spec_(std::move(spec)),
      resume_(std::move(resume)) {
  if (!folder_.has_filename()) folder_ = folder_.parent_path();  // "data/" means "data"
  if (fs::exists(folder_)) {
    fail_input("{} exists already; name another folder or remove it", folder_.string());
  }
  staging_ = folder_.parent_path() / fmt::format(".{}.building", folder_.filename().string());
  std::error_code code;
  fs::create_directories(staging_, code);
  if (code) fail("cannot create {}: {}", staging_.string(), code.message());
  if (auto lock = FileLock::try_lock(staging_ / kLockFile)) {
    lock_.emplace(std::move(*lock));
  } else {
    const fs::path staging = std::exchange(staging_, {});
    fail_input("{} is being built by another process ({}); wait for it", folder_.string(),
               staging.string());
  }
  read_notes();
}

// Takes over an unfinished writer's work if it was for the same dataset; clears it otherwise.
void DatasetWriter::read_notes() {
  const auto text = read_file_if_exists(staging_ / kNotesFile);
  size_t begin = text ? text->find('\n') : std::string::npos;
  keep_ = !resume_.empty();
  if (keep_ && begin != std::string::npos && text->substr(0, begin) == resume_) {
    // A last line without a line end was cut off during writing.
    for (++begin; begin < text->size();) {
      const size_t end = text->find('\n', begin);
      if (end == std::string::npos) break;
      notes_.push_back(text->substr(begin, end - begin));
      begin = end + 1;
    }
    std::string whole = resume_ + "\n";
    for (const std::string& line : notes_) whole += line + "\n";
    write_file_atomic(staging_ / kNotesFile, whole);
    return;
  }
  for (const auto& entry : fs::directory_iterator(staging_)) {
    if (entry.path().filename() != kLockFile) fs::remove_all(entry.path());
  }
  if (keep_) write_file_atomic(staging_ / kNotesFile, resume_ + "\n");
}

DatasetWriter::~DatasetWriter() {
  std::error_code ignored;
  if (!staging_.empty() && !keep_) fs::remove_all(staging_, ignored);
}

void DatasetWriter::note(const std::string& lines) {
  flush();
  errno = 0;
  std::ofstream file(staging_ / kNotesFile, std::ios::binary | std::ios::app);
  file << lines;
  file.close();
  if (!file) fail("cannot write {}: {}", (staging_ / kNotesFile).string(), errno_text(errno));
}

void DatasetWriter::flush() {
  flush_file_system(staging_);
}

void DatasetWriter::remove_file(const std::string& path) {
  std::error_code code;
  fs::remove(staging_ / path, code);
  if (code) fail("cannot remove {}: {}", (staging_ / path).string(), code.message());
}

std::string DatasetWriter::read_file(const std::string& path) const {
  return remixer::read_file(staging_ / path);
}

void DatasetWriter::describe(const std::string& field, Json value) {
  described_[field] = std::move(value);
}

void DatasetWriter::add_folder(const std::string& path) {
  std::error_code code;
  fs::create_directories(staging_ / path, code);
  if (code) fail("cannot create {}: {}", (staging_ / path).string(), code.message());
}

void DatasetWriter::add_file(const std::string& path, std::string_view bytes) {
  const fs::path target = staging_ / path;
  errno = 0;
  std::ofstream file(target, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) fail("cannot write {}: {}", target.string(), errno_text(errno));
}

void DatasetWriter::add_beside(const std::string& name, std::string text) {
  beside_[name] = std::move(text);
}

void DatasetWriter::add_split(const std::string& split, const std::vector<Sample>& samples) {
  assert(!splits_.contains(split));
  add_file(split + ".tsv", index_text(classes_, samples));
  splits_.emplace(split, samples);
}

fs::path DatasetWriter::complete(const std::array<double, 3>& mean,
                                 const std::array<double, 3>& deviation) {
  Json manifest = described_;
  manifest.update({{"format", kDatasetFormat},
                   {"classes", classes_},
                   {"image_size", image_size_},
                   {"mean", mean},
                   {"deviation", deviation},
                   {"splits", Json::object()}});
  for (const auto& [split, samples] : splits_) manifest["splits"][split] = samples.size();
  const fs::path root =
      described_.contains("root") ? fs::path(described_["root"].get<std::string>()) : staging_;
  manifest["content_sha256"] = content_hash(staging_, root, splits_, hashes_);
  const experiments::DatasetSpec spec = spec_ ? *spec_ : experiments::imported_spec(manifest);
  manifest["spec"] = write_value(spec);
  if (named_by_content_) folder_ = folder_.parent_path() / short_id(spec);
  manifest_ = std::move(manifest);
  return folder_;
}

fs::path DatasetWriter::publish(const std::array<double, 3>& mean,
                                const std::array<double, 3>& deviation) {
  if (manifest_.is_null()) complete(mean, deviation);
  const fs::path there = folder_ / "manifest.json";
  const bool known = named_by_content_ && fs::exists(there);
  if (known) join_places(there);
  const std::string text = manifest_.dump(2) + "\n";
  add_file("manifest.json", text);
  for (const auto& [name, bytes] : beside_) add_file(name, bytes);
  fs::remove(staging_ / kNotesFile);
  fs::remove(staging_ / kLockFile);
  flush_file_system(staging_);
  if (known) {
    // The same images were imported before, perhaps from elsewhere or under another name. Files
    // beside the indexes must exist before the manifest names their place.
    for (const auto& [name, bytes] : beside_) write_file_atomic(folder_ / name, bytes);
    write_file_atomic(there, text);
    fs::remove_all(staging_);
  } else if (!remixer::publish(staging_, folder_)) {
    fail_input("{} was made by someone else meanwhile; it was left as it is", folder_.string());
  }
  staging_.clear();
  return folder_;
}

// Appends the names and places that the same content already has to the new ones.
void DatasetWriter::join_places(const fs::path& there) {
  const auto before = Json::parse(remixer::read_file(there), nullptr, /*allow_exceptions=*/false);
  if (!before.is_object()) return;  // torn: replaced
  for (const char* what : {"name", "root"}) {
    if (!manifest_.contains(what)) continue;
    const std::string first = manifest_[what].get<std::string>();
    std::vector<std::string> more = experiments::manifest_list(before, what);
    std::erase(more, first);
    if (more.empty()) continue;
    manifest_[fmt::format("more_{}s", what)] = more;
  }
}

void take_name_from(const fs::path& folder, const std::string& name) {
  const fs::path file = folder / "manifest.json";
  auto manifest = Json::parse(read_file(file));
  std::vector<std::string> names = experiments::manifest_list(manifest, "name");
  std::erase(names, name);
  manifest.erase("name");
  manifest.erase("more_names");
  if (!names.empty()) {
    manifest["name"] = names.front();
    names.erase(names.begin());
    if (!names.empty()) manifest["more_names"] = names;
  }
  write_file_atomic(file, manifest.dump(2) + "\n");
}

std::string content_hash(const fs::path& folder, const fs::path& root,
                         const std::map<std::string, std::vector<Sample>>& splits,
                         const std::map<std::string, std::string>& known) {
  std::vector<std::pair<fs::path, std::string>> files;
  std::set<std::string_view> masks;
  for (const auto& [split, samples] : splits) {
    files.emplace_back(folder, split + ".tsv");
    for (const Sample& sample : samples) {
      files.emplace_back(root, sample.id);
      const bool is_new = !sample.mask.empty() && masks.insert(sample.mask).second;
      if (is_new) files.emplace_back(root, sample.mask);
    }
  }
  std::vector<std::string> hashes(files.size());
  parallel_for(static_cast<int64_t>(files.size()), 0, [&](int64_t i) {
    const auto& [parent, path] = files[static_cast<size_t>(i)];
    const auto found = known.find(path);
    hashes[static_cast<size_t>(i)] =
        found != known.end() ? found->second : sha256_file(parent / path);
  });
  Sha256 hash;
  for (size_t i = 0; i < files.size(); ++i) {
    hash.update(fmt::format("{}  {}\n", hashes[i], files[i].second));
  }
  return hash.finish();
}

}  // namespace remixer::data
