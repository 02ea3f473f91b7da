// SPDX-License-Identifier: Apache-2.0
// Reads a packed file of label maps.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/augment/patch_labels.h"
#include "labelcache/file/packed_file.h"

namespace remixer::labelcache {

// Random access by sample id to a memory-mapped file. Top-k maps are unpacked directly from the
// file, one at a time; for dense maps, decompressed blocks are kept in an LRU cache of limited
// size. Thread-safe.
class LabelFileReader : public data::LabelSource {
 public:
  static constexpr uint64_t kMemoryLimit = 256ull << 20;

  // Checks prologue, provenance, index and footer; blocks are checked when first read. Throws
  // InputError naming file and part if one is torn, damaged or of another version.
  explicit LabelFileReader(const std::filesystem::path& path, uint64_t memory_limit = kMemoryLimit)
      : path_(path), file_(PackedFile::open(path, memory_limit)) {}

  // Throws InputError if the sample has no map, or, naming the block, if that is damaged.
  data::LabelMap map(std::string_view sample_id) const override {
    return file_->map(number(sample_id));
  }
  int channels() const override { return provenance().shape.channels; }
  bool names_top_k() const override { return provenance().shape.top_k > 0; }

  // A top-k map in its stored form, by rank: for callers that do not need the whole map().
  void unpack(std::string_view sample_id, UnpackedRecord& record) const {
    file_->unpack(number(sample_id), record);
  }

  const Provenance& provenance() const { return file_->provenance(); }
  const std::string& content_sha256() const { return file_->content_sha256(); }
  uint32_t version() const { return file_->version(); }
  uint32_t samples() const { return file_->samples(); }
  uint32_t blocks() const { return file_->blocks(); }
  uint64_t file_bytes() const { return file_->file_bytes(); }

  // By sample number, in the order of the dataset's index; < samples().
  std::string id(uint32_t sample) const { return file_->id(sample); }
  data::LabelMap map_of(uint32_t sample) const { return file_->map(sample); }

  // Reads every block, looks up every id and compares the labels with their hash. Throws InputError
  // as map() does.
  void verify() const;

 private:
  uint32_t number(std::string_view sample_id) const;

  std::filesystem::path path_;
  std::unique_ptr<PackedFile> file_;
};

}  // namespace remixer::labelcache
