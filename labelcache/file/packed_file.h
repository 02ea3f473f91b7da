// SPDX-License-Identifier: Apache-2.0
// Interface to a label file opened for reading.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/augment/patch_labels.h"
#include "labelcache/file/label_file_format.h"
#include "labelcache/file/packed_record.h"

namespace remixer::labelcache {

// Samples are numbered in the order of the dataset's index. Immutable for callers; thread-safe.
class PackedFile {
 public:
  // Opens a file. Checks everything but the blocks, which are checked when first
  // read. Throws InputError naming file and part if one is torn, damaged or of another version.
  static std::unique_ptr<PackedFile> open(const std::filesystem::path& path, uint64_t memory_limit);
  virtual ~PackedFile() = default;

  const Provenance& provenance() const { return provenance_; }
  const std::string& content_sha256() const { return content_sha256_; }
  uint32_t version() const { return version_; }
  virtual uint32_t samples() const = 0;
  virtual uint32_t blocks() const = 0;
  virtual uint64_t file_bytes() const = 0;

  // The members below throw InputError naming file and block if that is damaged.
  virtual std::string id(uint32_t sample) const = 0;
  virtual std::optional<uint32_t> find(std::string_view id) const = 0;
  // As encode_record makes it.
  virtual std::string record(uint32_t sample) const = 0;
  virtual data::LabelMap map(uint32_t sample) const;
  // For a file of top-k maps.
  virtual void unpack(uint32_t sample, UnpackedRecord& record) const;

 protected:
  PackedFile(std::filesystem::path path, uint32_t version)
      : path_(std::move(path)), version_(version) {}
  [[noreturn]] void fail_damaged(std::string_view part) const;
  // Checks and reads the start of a file. → bytes of prologue and provenance.
  uint64_t read_prologue(std::string_view bytes, size_t footer_bytes);

  std::filesystem::path path_;
  uint32_t version_;
  Provenance provenance_;
  std::string content_sha256_;
};

std::unique_ptr<PackedFile> open_version2(const std::filesystem::path& path, uint64_t memory_limit);

}  // namespace remixer::labelcache
