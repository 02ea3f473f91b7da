// Writes one packed file of label maps.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file.h"
#include "core/base/hash.h"
#include "labelcache/cache_format.h"

namespace remixer::labelcache {

// The file appears at its path on finish(), whole. Equal provenance, ids and records in equal order
// give equal bytes. One thread.
class CacheWriter {
 public:
  CacheWriter(std::filesystem::path path, Provenance provenance);

  // Adds the next sample; `record` as encode_record makes it.
  void add(std::string_view id, std::string_view record);

  // Writes the index and publishes the file. → SHA-256 of the labels (ids and records in order).
  // Throws InputError where an id was added twice; the number of samples must be as announced.
  std::string finish();

 private:
  void write_block();
  std::string index() const;

  std::filesystem::path path_;
  Provenance provenance_;
  AtomicFile file_;
  Sha256 content_;
  std::string block_;
  uint32_t block_first_ = 0;
  std::vector<BlockEntry> blocks_;
  std::vector<uint32_t> id_ends_;
  std::string ids_;
};

}  // namespace remixer::labelcache
