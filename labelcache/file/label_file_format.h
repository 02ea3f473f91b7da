// SPDX-License-Identifier: Apache-2.0
// Binary format of the packed file of label maps; docs/labelcache.md specifies it. For the writer,
// the reader and their tests.
//
//   prologue · provenance (JSON) · blocks · index · footer
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/json.h"
#include "labelcache/file/record.h"

namespace remixer::labelcache {

constexpr std::array<char, 8> kFileMagic = {'R', 'M', 'X', 'L', 'A', 'B', 'E', 'L'};
constexpr std::array<char, 8> kEndMagic = {'R', 'M', 'X', 'L', 'A', 'B', 'E', 'Z'};
constexpr std::array<char, 4> kBlockMagic = {'R', 'M', 'X', 'B'};
constexpr uint32_t kFileVersion = 2;

struct Prologue {
  std::array<char, 8> magic = kFileMagic;
  uint32_t version = kFileVersion;
  uint32_t provenance_bytes = 0;
  uint64_t provenance_checksum = 0;  // XXH3, like all checksums
};
static_assert(sizeof(Prologue) == 24);

// How a block's records are stored.
enum class Codec : uint8_t {
  kZstd = 1,    // unchanged, back to back, as one Zstandard frame: dense maps
  kPacked = 2,  // each separately, as in packed_record.h: top-k maps
};

// A block is self-contained: this header, a BlockSample per sample, the ids' text, the records. All
// blocks of a file hold the same number of samples, except the last one.
struct BlockHeader {
  std::array<char, 4> magic = kBlockMagic;
  uint32_t stored_bytes = 0;  // of the whole block
  uint64_t checksum = 0;      // of the block's bytes after this field
  uint32_t first_sample = 0;
  uint32_t record_bytes = 0;  // of all records; for kZstd, after decompression
  uint16_t samples = 0;
  Codec codec = Codec::kZstd;
  uint8_t zero = 0;
  uint32_t reserved = 0;
};
static_assert(sizeof(BlockHeader) == 32);
constexpr size_t kBlockChecked = 16;  // first byte covered by the checksum

// End of a sample's id in the ids' text, and of its record in the records.
struct BlockSample {
  uint32_t id_end = 0;
  uint32_t record_end = 0;
};
static_assert(sizeof(BlockSample) == 8);

// The index: the offset of each block and of the index itself, u64 each; then a hash table of
// samples by id (linear probing). An id with XXH3 h is in the first slot that was free from slot
// (h · slots) / 2^64 on, with wrap-around; samples were inserted in number order.
struct Slot {
  uint32_t tag = 0;  // the low half of the id's hash
  uint32_t sample = kNoSample;
  static constexpr uint32_t kNoSample = UINT32_MAX;
};
static_assert(sizeof(Slot) == 8);
// Number of slots for that many samples: a quarter of them free, and at least one.
constexpr uint32_t slots_for(uint32_t samples) {
  return samples + samples / 3 + 1;
}
inline uint32_t first_slot(uint64_t hash, uint32_t slots) {
  return static_cast<uint32_t>((static_cast<unsigned __int128>(hash) * slots) >> 64);
}

struct Footer {
  uint64_t index_offset = 0;
  uint64_t index_bytes = 0;
  uint64_t index_checksum = 0;
  uint32_t samples = 0;
  uint32_t blocks = 0;
  uint32_t block_samples = 0;  // in every block but the last
  uint32_t slots = 0;
  std::array<char, 64> content_sha256{};  // hexadecimal
  uint64_t checksum = 0;                  // of the footer's bytes before this field
  std::array<char, 8> magic = kEndMagic;
};
static_assert(sizeof(Footer) == 120);
constexpr size_t kFooterChecked = 104;

// Size of a block's records before compression: what one random access checks and, for dense maps,
// decompresses.
constexpr size_t kDenseBlockBytes = 64 * 1024, kTopKBlockBytes = 32 * 1024;
constexpr size_t kMostBlockSamples = 1024;

// Origin of the labels.
struct Provenance {
  Json labeler;                // its spec, or a description of the import
  std::string weights_sha256;  // of the network's published weights; empty without a network
  std::string dataset_sha256;  // the dataset's content
  std::string split;
  int64_t images = 0;
  MapShape shape;
};
Json to_json(const Provenance& provenance);
// Throws InputError naming what is missing or invalid.
Provenance provenance_from_json(std::string_view text);

// The start of the file: prologue and provenance.
std::string encode_prologue(const Provenance& provenance);

// Hash of the labels, fed sample by sample in order: SHA-256 over channels and top_k, then for each
// sample the length of its id, the id and the record. It depends only on the labels.
class ContentHash {
 public:
  explicit ContentHash(const MapShape& shape);
  void add(std::string_view id, std::string_view record);
  std::string finish() { return hash_.finish(); }

 private:
  Sha256 hash_;
};

}  // namespace remixer::labelcache
