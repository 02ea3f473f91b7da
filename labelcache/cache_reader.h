// Reads a packed file of label maps.
#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/data/label_map.h"
#include "labelcache/cache_format.h"
#include "labelcache/mapped_file.h"

namespace remixer::labelcache {

// Random access by sample id over a memory-mapped file. Decompressed blocks are kept up to a limit,
// the least recently used leave first, so a small file is decompressed once. Thread-safe.
class CacheReader : public data::LabelSource {
 public:
  static constexpr uint64_t kMemoryLimit = 256ull << 20;

  // Checks prologue, provenance, index and footer; blocks are checked when read. Throws InputError
  // naming file and part where one is torn, damaged or of a newer version.
  explicit CacheReader(const std::filesystem::path& path, uint64_t memory_limit = kMemoryLimit);

  // Throws InputError where the sample has no map, or naming the block where that is damaged.
  data::LabelMap map(std::string_view sample_id) const override;
  int channels() const override { return provenance_.shape.channels; }

  const Provenance& provenance() const { return provenance_; }
  const std::string& content_sha256() const { return content_sha256_; }
  uint32_t samples() const { return footer_.samples; }
  uint32_t blocks() const { return footer_.blocks; }
  uint64_t file_bytes() const { return file_.bytes().size(); }

  // By sample number, the order of the dataset's index; < samples().
  std::string_view id(uint32_t sample) const;
  data::LabelMap map_of(uint32_t sample) const;

  // Reads every block and compares the labels with their hash. Throws InputError as map() does.
  void verify() const;

 private:
  struct Block {
    std::string records;
    std::vector<uint32_t> ends;  // of each record
    std::string_view record(uint32_t i) const;
  };
  void read_prologue();
  void read_footer();
  void check_index() const;
  [[noreturn]] void fail_damaged(std::string_view part) const;
  BlockEntry entry(uint32_t block) const;
  uint32_t block_of(uint32_t sample) const;
  std::shared_ptr<const Block> block(uint32_t number) const;
  Block read_block(uint32_t number) const;
  data::LabelMap decode(uint32_t sample, std::string_view record) const;

  std::filesystem::path path_;
  MappedFile file_;
  uint64_t memory_limit_;
  Footer footer_;
  Provenance provenance_;
  std::string content_sha256_;
  std::string_view index_, id_ends_, by_id_, ids_;  // parts of the file

  struct Kept {
    std::shared_ptr<const Block> block;
    std::list<uint32_t>::iterator use;
  };
  mutable std::mutex mutex_;  // guards what follows
  mutable std::vector<Kept> kept_;
  mutable std::list<uint32_t> used_;  // kept blocks, the latest used first
  mutable uint64_t kept_bytes_ = 0;
};

}  // namespace remixer::labelcache
