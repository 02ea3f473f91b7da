// SPDX-License-Identifier: Apache-2.0
// Reads label files of version 2 (docs/labelcache.md).
#include <atomic>
#include <cassert>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "labelcache/file/block.h"
#include "labelcache/file/bytes.h"
#include "labelcache/file/lru_cache.h"
#include "labelcache/file/mapped_file.h"
#include "labelcache/file/packed_file.h"

namespace remixer::labelcache {
namespace {

class Version2File : public PackedFile {
 public:
  Version2File(const std::filesystem::path& path, uint64_t memory_limit)
      : PackedFile(path, 2), file_(path), decompressed_(memory_limit) {
    const uint64_t start = read_prologue(file_.bytes(), sizeof(Footer));
    read_footer(start);
    check_index(start);
    whole_ = std::vector<std::atomic<bool>>(footer_.blocks);
  }

  uint32_t samples() const override { return footer_.samples; }
  uint32_t blocks() const override { return footer_.blocks; }
  uint64_t file_bytes() const override { return file_.bytes().size(); }

  std::string id(uint32_t sample) const override {
    return std::string(block_of(sample).id(sample % footer_.block_samples));
  }

  std::optional<uint32_t> find(std::string_view id) const override {
    const uint64_t hash = xxh3(id);
    uint32_t place = first_slot(hash, footer_.slots);
    // A quarter of the slots are free, so the search ends.
    for (;; place = place + 1 == footer_.slots ? 0 : place + 1) {
      const auto slot = load<Slot>(slots_, size_t{place} * sizeof(Slot));
      if (slot.sample == Slot::kNoSample) return std::nullopt;
      if (slot.tag != static_cast<uint32_t>(hash)) continue;
      if (block_of(slot.sample).id(slot.sample % footer_.block_samples) == id) return slot.sample;
    }
  }

  std::string record(uint32_t sample) const override {
    const uint32_t place = sample % footer_.block_samples;
    const BlockView block = block_of(sample);
    if (provenance_.shape.top_k == 0)
      return std::string(block.record_in(*records_of(sample), place));
    UnpackedRecord unpacked;
    unpack(sample, unpacked);
    return encode_record(to_map(unpacked, provenance_.shape), provenance_.shape);
  }

  data::LabelMap map(uint32_t sample) const override {
    if (provenance_.shape.top_k == 0) return PackedFile::map(sample);
    thread_local UnpackedRecord unpacked;
    unpack(sample, unpacked);
    return to_map(unpacked, provenance_.shape);
  }

  void unpack(uint32_t sample, UnpackedRecord& record) const override {
    const BlockView block = block_of(sample);
    const uint32_t place = sample % footer_.block_samples;
    try {
      unpack_record(block.packed_record(place), provenance_.shape, record);
      if (!all_finite(record, provenance_.shape)) fail_input("it holds a logit that is not finite");
    } catch (const InputError& error) {
      fail_input("{}: sample {}: {}", path_.string(), block.id(place), error.what());
    }
  }

 private:
  void read_footer(uint64_t start) {
    const std::string_view bytes = file_.bytes();
    const size_t place = bytes.size() - sizeof(Footer);
    footer_ = load<Footer>(bytes, place);
    if (footer_.magic != kEndMagic) {
      fail_input("{}: torn: its end is missing; remove the file and make the labels again",
                 path_.string());
    }
    if (xxh3(bytes.substr(place, kFooterChecked)) != footer_.checksum) fail_damaged("its footer");
    const uint64_t offsets = (uint64_t{footer_.blocks} + 1) * sizeof(uint64_t);
    const uint64_t each = footer_.block_samples;
    const bool counts_fit = footer_.samples == 0
                                ? footer_.blocks == 0
                                : each > 0 && footer_.blocks == (footer_.samples + each - 1) / each;
    if (footer_.index_offset < start || footer_.index_offset > place ||
        footer_.index_bytes != place - footer_.index_offset ||
        footer_.index_bytes != offsets + uint64_t{footer_.slots} * sizeof(Slot) ||
        footer_.slots <= footer_.samples || !counts_fit || provenance_.images != footer_.samples) {
      fail_damaged("its footer");
    }
    content_sha256_.assign(footer_.content_sha256.data(), footer_.content_sha256.size());
    const std::string_view index = bytes.substr(footer_.index_offset, footer_.index_bytes);
    if (xxh3(index) != footer_.index_checksum) fail_damaged("its index");
    offsets_ = index.substr(0, offsets);
    slots_ = index.substr(offsets);
  }

  // The checksum matches, so this only rejects files written wrongly by other programs.
  void check_index(uint64_t start) const {
    uint64_t before = start;
    for (uint32_t block = 0; block <= footer_.blocks; ++block) {
      const uint64_t here = offset(block);
      const bool first = block == 0;
      if (first ? here != start : here < before + sizeof(BlockHeader)) fail_damaged("its index");
      before = here;
    }
    if (before != footer_.index_offset) fail_damaged("its index");
    uint32_t used = 0;
    bool inside = true;
    for (uint32_t i = 0; i < footer_.slots; ++i) {
      const auto sample = load<Slot>(slots_, size_t{i} * sizeof(Slot)).sample;
      used += sample != Slot::kNoSample;
      inside &= sample == Slot::kNoSample || sample < footer_.samples;
    }
    if (!inside || used != footer_.samples) fail_damaged("its index");
  }

  uint64_t offset(uint32_t block) const {
    return load<uint64_t>(offsets_, size_t{block} * sizeof(uint64_t));
  }

  // The block of a sample, checked on first use. Index and footer follow the last block, so
  // decoders may read past it.
  BlockView block_of(uint32_t sample) const {
    assert(sample < footer_.samples);
    const uint32_t number = sample / footer_.block_samples;
    const uint64_t begin = offset(number);
    const std::string_view bytes = file_.bytes().substr(begin, offset(number + 1) - begin);
    if (whole_[number].load(std::memory_order_relaxed)) return BlockView::trusted(bytes);
    BlockView view;
    const uint32_t first = number * footer_.block_samples;
    const uint32_t count = std::min(footer_.block_samples, footer_.samples - first);
    const bool whole = BlockView::open(bytes, provenance_.shape, view) &&
                       view.header().stored_bytes == bytes.size() &&
                       view.header().first_sample == first && view.header().samples == count;
    if (!whole) {
      fail_damaged(fmt::format("block {} (samples {} to {})", number, first, first + count - 1));
    }
    whole_[number].store(true, std::memory_order_relaxed);
    return view;
  }

  std::shared_ptr<const std::string> records_of(uint32_t sample) const {
    const uint32_t number = sample / footer_.block_samples;
    return decompressed_.get(
        number,
        [&] {
          std::string records = block_of(sample).decompressed();
          if (records.empty()) fail_damaged(fmt::format("block {}", number));
          return records;
        },
        [](const std::string& records) { return records.size(); });
  }

  MappedFile file_;
  Footer footer_;
  std::string_view offsets_, slots_;              // parts of the file
  mutable std::vector<std::atomic<bool>> whole_;  // by block: it has passed its checks
  mutable LruCache<std::string> decompressed_;
};

}  // namespace

std::unique_ptr<PackedFile> open_version2(const std::filesystem::path& path,
                                          uint64_t memory_limit) {
  return std::make_unique<Version2File>(path, memory_limit);
}

}  // namespace remixer::labelcache
