// SPDX-License-Identifier: Apache-2.0
// Writes a data set's folder (format: dataset.h, docs/datasets.md).
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
#include "experiments/spec/component_spec.h"

namespace remixer::data {

// The columns of <split>.tsv, in order; the file's first line holds these names.
constexpr std::array<std::string_view, 9> kIndexColumns = {
    "image", "class", "x0", "y0", "x1", "y1", "mask", "foreground", "background"};

// Builds a dataset in a hidden folder beside its final one (.NAME.building) and publishes it as a
// whole. If destroyed without publish(), it leaves nothing behind, unless it is resumable. After a
// kill, the next writer of the same dataset removes or continues the leftover work. Files may be
// added from any thread; everything else is for one thread at a time.
class DatasetWriter {
 public:
  // Datasets made from a user's files have no `spec`: publish() makes it from the manifest's hash.
  // Throws InputError if `folder` already exists or another process is building it. `resume`
  // describes what is being built: files of an unfinished writer with the same text are kept and
  // listed in notes(); other leftovers are removed.
  DatasetWriter(std::filesystem::path folder, std::vector<std::string> classes, int image_size,
                std::optional<experiments::DatasetSpec> spec, std::string resume = {});
  ~DatasetWriter();
  DatasetWriter(const DatasetWriter&) = delete;
  DatasetWriter& operator=(const DatasetWriter&) = delete;

  // Creates a folder, named by its path inside the dataset, and the folders above it.
  void add_folder(const std::string& path);
  // Writes one file (an image, a mask) into an added folder. Thread-safe. Durable only after
  // flush() or publish(), so that thousands of small files cost one flush.
  void add_file(const std::string& path, std::string_view bytes);
  void remove_file(const std::string& path);
  // Bytes of an added file.
  std::string read_file(const std::string& path) const;
  // Makes everything added so far durable.
  void flush();
  // Writes a split's index. Every image and mask that it names must have been added, or be below
  // the root.
  void add_split(const std::string& split, const std::vector<Sample>& samples);
  // Adds a file beside the indexes that no hash covers; publish() replaces an existing
  // one.
  void add_beside(const std::string& name, std::string text);
  // Adds a field to the manifest, such as "root", "name" or "made_by".
  void describe(const std::string& field, Json value);
  // Known SHA-256 hashes of images, by path: publish() then does not read these files.
  void know_hashes(std::map<std::string, std::string> hashes) { hashes_ = std::move(hashes); }
  // With true, publish() names the folder by the spec's id.
  void name_by_content(bool value) { named_by_content_ = value; }
  // Completes the manifest (which reads all files to hash them) and returns the dataset's final
  // folder. Nothing can be added afterwards.
  std::filesystem::path complete(const std::array<double, 3>& mean,
                                 const std::array<double, 3>& deviation);
  // Writes the manifest, makes everything durable and renames the folder to its final name, which
  // it returns. If the same content is already there, that is kept, and the new name and place are
  // added to its manifest.
  std::filesystem::path publish(const std::array<double, 3>& mean,
                                const std::array<double, 3>& deviation);

  // Lines noted by an unfinished writer with the same `resume` text.
  const std::vector<std::string>& notes() const { return notes_; }
  // Adds a line to the notes, after making all files added so far durable. One thread at a time.
  void note(const std::string& lines);

 private:
  void read_notes();
  void join_places(const std::filesystem::path& there);

  std::filesystem::path folder_, staging_;
  std::optional<FileLock> lock_;
  std::vector<std::string> classes_;
  int image_size_;
  std::optional<experiments::DatasetSpec> spec_;
  std::string resume_;
  std::vector<std::string> notes_;
  Json described_ = Json::object();
  std::map<std::string, std::string> hashes_;
  std::map<std::string, std::string> beside_;
  bool named_by_content_ = false, keep_ = false;
  Json manifest_;  // null until complete()
  std::map<std::string, std::vector<Sample>> splits_;
};

// Removes a name from a dataset of a workspace, after another dataset took it.
void take_name_from(const std::filesystem::path& folder, const std::string& name);

// Computes the hash that a manifest records: the SHA-256 of the text that sha256sum prints for,
// split after split in name order, the split's index, then each row's image and mask (a mask shared
// by several rows is listed with the first). Indexes are in `folder`, images and masks below
// `root`; files with a hash in `known` are not read. Reads on all threads.
std::string content_hash(const std::filesystem::path& folder, const std::filesystem::path& root,
                         const std::map<std::string, std::vector<Sample>>& splits,
                         const std::map<std::string, std::string>& known = {});

}  // namespace remixer::data
