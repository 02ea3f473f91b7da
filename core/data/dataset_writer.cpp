#include "core/data/dataset_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <fstream>
#include <set>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/hash.h"

namespace remixer::data {

namespace {

// Flushes the file system that holds `folder`: one call for all files written.
void flush_file_system(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail("cannot open {}: {}", folder.string(), errno_text(errno));
  const int result = ::syncfs(descriptor);
  const int code = errno;
  ::close(descriptor);
  if (result != 0) fail("cannot flush {}: {}", folder.string(), errno_text(code));
}

// "12", or "12,40" of an image with two objects.
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
                             experiments::Json spec)
    : folder_(std::move(folder)),
      classes_(std::move(classes)),
      image_size_(image_size),
      spec_(std::move(spec)) {
  if (!folder_.has_filename()) folder_ = folder_.parent_path();  // "data/" means "data"
  if (fs::exists(folder_)) {
    fail_input("{} exists already; name another folder or remove it", folder_.string());
  }
  staging_ =
      folder_.parent_path() / fmt::format(".{}.{}.tmp", folder_.filename().string(), ::getpid());
  fs::remove_all(staging_);
  std::error_code code;
  fs::create_directories(staging_, code);
  if (code) fail("cannot create {}: {}", staging_.string(), code.message());
}

DatasetWriter::~DatasetWriter() {
  std::error_code ignored;
  if (!staging_.empty()) fs::remove_all(staging_, ignored);
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

void DatasetWriter::add_split(const std::string& split, const std::vector<Sample>& samples) {
  assert(!splits_.contains(split));
  add_file(split + ".tsv", index_text(classes_, samples));
  splits_.emplace(split, samples);
}

void DatasetWriter::publish(const std::array<double, 3>& mean,
                            const std::array<double, 3>& deviation) {
  experiments::Json manifest = {{"format", kDatasetFormat},
                                {"spec", spec_},
                                {"classes", classes_},
                                {"image_size", image_size_},
                                {"mean", mean},
                                {"deviation", deviation},
                                {"splits", experiments::Json::object()}};
  for (const auto& [split, samples] : splits_) manifest["splits"][split] = samples.size();
  manifest["content_sha256"] = content_hash(staging_, splits_);
  add_file("manifest.json", manifest.dump(2) + "\n");
  flush_file_system(staging_);
  if (!remixer::publish(staging_, folder_)) {
    fail_input("{} was made by someone else meanwhile; it was left as it is", folder_.string());
  }
  staging_.clear();
}

std::string content_hash(const fs::path& folder,
                         const std::map<std::string, std::vector<Sample>>& splits) {
  Sha256 hash;
  const auto list = [&](const std::string& path) {
    hash.update(fmt::format("{}  {}\n", sha256_file(folder / path), path));
  };
  std::set<std::string_view> masks;
  for (const auto& [split, samples] : splits) {
    list(split + ".tsv");
    for (const Sample& sample : samples) {
      list(sample.id);
      if (!sample.mask.empty() && masks.insert(sample.mask).second) list(sample.mask);
    }
  }
  return hash.finish();
}

}  // namespace remixer::data
