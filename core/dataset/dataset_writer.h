// SPDX-License-Identifier: Apache-2.0
// Writes a data set's folder (read by dataset.h; docs/datasets.md).
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "core/dataset/dataset.h"

namespace remixer::data {

// The columns of <split>.tsv, in order; the file's first line holds these names.
constexpr std::array<std::string_view, 9> kIndexColumns = {
    "image", "class", "x0", "y0", "x1", "y1", "mask", "foreground", "background"};

// Collects a dataset in a hidden folder beside its final one (.NAME.building) and publishes it
// whole. Destroyed without publish(), it leaves nothing behind, unless it is resumable. What a
// killed process left there is cleared away by the next writer of the same dataset, or gone on
// with. Files may be added from any thread; the rest is for one thread at a time.
class DatasetWriter {
 public:
  // Of data made from a user's files `spec` is null: publish() makes it of the manifest's hash.
  // Throws InputError where `folder` exists already or another process is building it. A `resume`
  // text says what is being built: files of an unfinished writer with the same text are kept, and
  // notes() tells of them, others are removed.
  DatasetWriter(std::filesystem::path folder, std::vector<std::string> classes, int image_size,
                Json spec, std::string resume = {});
  ~DatasetWriter();
  DatasetWriter(const DatasetWriter&) = delete;
  DatasetWriter& operator=(const DatasetWriter&) = delete;

  // Creates a folder, named by its path inside the dataset, and the folders above it.
  void add_folder(const std::string& path);
  // Writes one file (an image, a mask), into a folder that was added. Thread-safe. Durable only
  // after flush() or publish(), so that thousands of small files cost one flush.
  void add_file(const std::string& path, std::string_view bytes);
  void remove_file(const std::string& path);
  // Bytes of a file that was added.
  std::string read_file(const std::string& path) const;
  // Makes what was added durable.
  void flush();
  // Writes a split's index. Every image and mask that it names must have been added, or be below
  // the root.
  void add_split(const std::string& split, const std::vector<Sample>& samples);
  // Writes a file that stands beside the indexes and that no hash covers; publish() replaces the
  // one that is there already.
  void add_beside(const std::string& name, std::string text);
  // A further field of the manifest, such as "root", "name" or "made_by".
  void describe(const std::string& field, Json value);
  // SHA-256 of images by path, where they are known already: publish() then does not read them.
  void know_hashes(std::map<std::string, std::string> hashes) { hashes_ = std::move(hashes); }
  // publish() calls the folder by the spec's id.
  void name_by_content(bool value) { named_by_content_ = value; }
  // Completes the manifest, which takes reading all files for their hash, and says where publish()
  // will put the dataset. Nothing can be added afterwards.
  std::filesystem::path complete(const std::array<double, 3>& mean,
                                 const std::array<double, 3>& deviation);
  // Writes the manifest, makes everything durable and renames the folder to its final name, which
  // it returns. Where the same content stands there already, that is kept, and takes the new name
  // and place in beside those that it has.
  std::filesystem::path publish(const std::array<double, 3>& mean,
                                const std::array<double, 3>& deviation);

  // Work of an unfinished writer of the same `resume` text: the lines that it noted.
  const std::vector<std::string>& notes() const { return notes_; }
  // Adds a line to them, after all files added so far were made durable. Not for several threads.
  void note(const std::string& lines);

 private:
  void read_notes();
  void join_places(const std::filesystem::path& there);

  std::filesystem::path folder_, staging_;
  std::optional<FileLock> lock_;
  std::vector<std::string> classes_;
  int image_size_;
  Json spec_;
  std::string resume_;
  std::vector<std::string> notes_;
  Json described_ = Json::object();
  std::map<std::string, std::string> hashes_;
  std::map<std::string, std::string> beside_;
  bool named_by_content_ = false, keep_ = false;
  Json manifest_;  // null until complete()
  std::map<std::string, std::vector<Sample>> splits_;
};

// Removes a name of a dataset in a workspace, which another now has.
void take_name_from(const std::filesystem::path& folder, const std::string& name);

// The hash that a manifest records. It is the SHA-256 of the text that sha256sum prints for, split
// after split in the order of their names: the split's index, then each row's image and its mask
// (a mask that several rows share is listed with the first). Indexes lie in `folder`, images and
// masks below `root`; files whose hash `known` gives are not read. Reads on all threads.
std::string content_hash(const std::filesystem::path& folder, const std::filesystem::path& root,
                         const std::map<std::string, std::vector<Sample>>& splits,
                         const std::map<std::string, std::string>& known = {});

}  // namespace remixer::data
