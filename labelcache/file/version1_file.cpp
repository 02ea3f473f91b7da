// Label files of version 1, which the project wrote until 0.1: still read, no longer written.
// Records lie in Zstandard frames of about 64 KiB, ids in the index.
#include <zstd.h>

#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "labelcache/file/bytes.h"
#include "labelcache/file/lru_cache.h"
#include "labelcache/file/mapped_file.h"
#include "labelcache/file/packed_file.h"

namespace remixer::labelcache {
namespace {

// One compressed run of consecutive samples' records.
struct BlockEntry {
  uint64_t offset = 0;    // in the file
  uint64_t checksum = 0;  // of the stored bytes
  uint32_t stored_bytes = 0;
  uint32_t record_bytes = 0;  // after decompression
  uint32_t first_sample = 0;
  uint32_t samples = 0;
};
static_assert(sizeof(BlockEntry) == 32);

// The index holds the BlockEntry of each block; for each sample the end of its id in the text
// below, u32; the sample numbers in the order of their ids, u32 each; and the ids' text, back to
// back.
constexpr uint64_t kIndexBytesPerSample = 8;

struct Footer1 {
  uint64_t index_offset = 0;
  uint64_t index_bytes = 0;
  uint64_t index_checksum = 0;
  uint32_t samples = 0;
  uint32_t blocks = 0;
  std::array<char, 64> content_sha256{};  // hexadecimal
  uint64_t checksum = 0;                  // of the footer's bytes before this one
  std::array<char, 8> magic = kEndMagic;
};
static_assert(sizeof(Footer1) == 112);
constexpr size_t kFooter1Checked = 96;

std::string_view slice(std::string_view bytes, uint64_t offset, uint64_t size) {
  return bytes.substr(static_cast<size_t>(offset), static_cast<size_t>(size));
}

class Version1File : public PackedFile {
 public:
  Version1File(const std::filesystem::path& path, uint64_t memory_limit)
      : PackedFile(path, 1), file_(path), kept_(memory_limit) {
    read_prologue(file_.bytes(), sizeof(Footer1));
    read_footer();
    check_index();
  }

  uint32_t samples() const override { return footer_.samples; }
  uint32_t blocks() const override { return footer_.blocks; }
  uint64_t file_bytes() const override { return file_.bytes().size(); }
  std::string id(uint32_t sample) const override { return std::string(id_of(sample)); }
  std::optional<uint32_t> find(std::string_view id) const override;
  std::string record(uint32_t sample) const override;

 private:
  struct Block {
    std::string records;
    std::vector<uint32_t> ends;  // of each record
    std::string_view record(uint32_t i) const;
  };
  void read_footer();
  void check_index() const;
  BlockEntry entry(uint32_t block) const;
  uint32_t block_of(uint32_t sample) const;
  std::string_view id_of(uint32_t sample) const;
  Block read_block(uint32_t number) const;

  MappedFile file_;
  Footer1 footer_;
  std::string_view index_, id_ends_, by_id_, ids_;  // parts of the file
  mutable RecentlyUsed<Block> kept_;
};

void Version1File::read_footer() {
  const std::string_view bytes = file_.bytes();
  const auto place = bytes.size() - sizeof(Footer1);
  footer_ = load<Footer1>(bytes, place);
  if (footer_.magic != kEndMagic) {
    fail_input("{}: torn: its end is missing; remove the file and make the labels again",
               path_.string());
  }
  if (xxh3(slice(bytes, place, kFooter1Checked)) != footer_.checksum) fail_damaged("its footer");
  const uint64_t fixed =
      footer_.samples * kIndexBytesPerSample + footer_.blocks * uint64_t{sizeof(BlockEntry)};
  if (footer_.index_offset > place || footer_.index_bytes != place - footer_.index_offset ||
      footer_.index_bytes < fixed || provenance_.images != footer_.samples) {
    fail_damaged("its footer");
  }
  content_sha256_.assign(footer_.content_sha256.data(), footer_.content_sha256.size());
  index_ = slice(bytes, footer_.index_offset, footer_.index_bytes);
  id_ends_ = slice(index_, footer_.blocks * sizeof(BlockEntry), footer_.samples * 4ull);
  by_id_ = slice(index_, footer_.blocks * sizeof(BlockEntry) + id_ends_.size(), id_ends_.size());
  ids_ = index_.substr(static_cast<size_t>(fixed));
}

void Version1File::check_index() const {
  if (xxh3(index_) != footer_.index_checksum) fail_damaged("its index");
  // The checksum holds, so what follows only refuses files that another program wrote wrongly.
  const uint64_t start = sizeof(Prologue) + load<Prologue>(file_.bytes(), 0).provenance_bytes;
  uint64_t offset = start, samples = 0;
  for (uint32_t number = 0; number < footer_.blocks; ++number) {
    const BlockEntry block = entry(number);
    if (block.offset != offset || block.first_sample != samples || block.samples == 0) {
      fail_damaged("its index");
    }
    offset += block.stored_bytes;
    samples += block.samples;
  }
  uint32_t end = 0;
  for (uint32_t sample = 0; sample < footer_.samples; ++sample) {
    const auto next = load<uint32_t>(id_ends_, sample * 4ull);
    if (next < end || load<uint32_t>(by_id_, sample * 4ull) >= footer_.samples) {
      fail_damaged("its index");
    }
    end = next;
  }
  if (offset != footer_.index_offset || samples != footer_.samples || end != ids_.size()) {
    fail_damaged("its index");
  }
}

BlockEntry Version1File::entry(uint32_t block) const {
  return load<BlockEntry>(index_, block * sizeof(BlockEntry));
}

std::string_view Version1File::id_of(uint32_t sample) const {
  assert(sample < footer_.samples);
  const uint32_t begin = sample == 0 ? 0 : load<uint32_t>(id_ends_, (sample - 1) * 4ull);
  return slice(ids_, begin, load<uint32_t>(id_ends_, sample * 4ull) - begin);
}

uint32_t Version1File::block_of(uint32_t sample) const {
  uint32_t low = 0, high = footer_.blocks - 1;
  while (low < high) {
    const uint32_t middle = low + (high - low + 1) / 2;
    if (entry(middle).first_sample <= sample) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

std::optional<uint32_t> Version1File::find(std::string_view id) const {
  uint32_t low = 0, high = footer_.samples;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (id_of(load<uint32_t>(by_id_, middle * 4ull)) < id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == footer_.samples) return std::nullopt;
  const auto sample = load<uint32_t>(by_id_, low * 4ull);
  return id_of(sample) == id ? std::optional(sample) : std::nullopt;
}

std::string_view Version1File::Block::record(uint32_t i) const {
  const uint32_t begin = i == 0 ? 0 : ends[i - 1];
  return std::string_view(records).substr(begin, ends[i] - begin);
}

Version1File::Block Version1File::read_block(uint32_t number) const {
  const BlockEntry place = entry(number);
  const std::string name = fmt::format("block {} (samples {} to {})", number, place.first_sample,
                                       uint64_t{place.first_sample} + place.samples - 1);
  const auto stored = slice(file_.bytes(), place.offset, place.stored_bytes);
  if (xxh3(stored) != place.checksum) fail_damaged(name);
  Block block;
  block.records.resize(place.record_bytes);
  const size_t size =
      ZSTD_decompress(block.records.data(), block.records.size(), stored.data(), stored.size());
  if (ZSTD_isError(size) || size != place.record_bytes) fail_damaged(name);
  std::string_view rest = block.records;
  try {
    for (uint32_t i = 0; i < place.samples; ++i) {
      rest.remove_prefix(record_size(rest, provenance_.shape));
      block.ends.push_back(static_cast<uint32_t>(block.records.size() - rest.size()));
    }
  } catch (const InputError&) {
    fail_damaged(name);
  }
  if (!rest.empty()) fail_damaged(name);
  return block;
}

std::string Version1File::record(uint32_t sample) const {
  const uint32_t number = block_of(sample);
  const auto block = kept_.get(
      number, [&] { return read_block(number); },
      [](const Block& made) { return made.records.size(); });
  return std::string(block->record(sample - entry(number).first_sample));
}

}  // namespace

std::unique_ptr<PackedFile> open_version1(const std::filesystem::path& path,
                                          uint64_t memory_limit) {
  return std::make_unique<Version1File>(path, memory_limit);
}

}  // namespace remixer::labelcache
