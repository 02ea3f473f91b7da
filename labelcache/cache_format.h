// The packed file of label maps, byte by byte as in docs/labelcache.md. For the writer, the reader
// and their tests.
//
//   prologue · provenance (JSON) · blocks (zstd) · index · footer
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "experiments/json.h"
#include "labelcache/record.h"

namespace remixer::labelcache {

constexpr std::array<char, 8> kFileMagic = {'R', 'M', 'X', 'L', 'A', 'B', 'E', 'L'};
constexpr std::array<char, 8> kEndMagic = {'R', 'M', 'X', 'L', 'A', 'B', 'E', 'Z'};
constexpr uint32_t kFileVersion = 1;

struct Prologue {
  std::array<char, 8> magic = kFileMagic;
  uint32_t version = kFileVersion;
  uint32_t provenance_bytes = 0;
  uint64_t provenance_checksum = 0;  // XXH3, as all checksums
};
static_assert(sizeof(Prologue) == 24);

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

struct Footer {
  uint64_t index_offset = 0;
  uint64_t index_bytes = 0;
  uint64_t index_checksum = 0;
  uint32_t samples = 0;
  uint32_t blocks = 0;
  std::array<char, 64> content_sha256{};  // hexadecimal
  uint64_t checksum = 0;                  // of the footer's bytes before this one
  std::array<char, 8> magic = kEndMagic;
};
static_assert(sizeof(Footer) == 112);
constexpr size_t kFooterChecked = 96;

// A block is closed once its records reach this size: what one random access decompresses.
constexpr size_t kBlockBytes = 64 * 1024;

// Where the labels come from.
struct Provenance {
  experiments::Json labeler;   // its entry in the cell
  std::string weights_sha256;  // of the network's published weights; empty without a network
  std::string dataset_sha256;  // the dataset's content
  std::string split;
  int64_t images = 0;
  MapShape shape;
};
experiments::Json to_json(const Provenance& provenance);
// Throws InputError naming what is missing or impossible.
Provenance provenance_from_json(std::string_view text);

}  // namespace remixer::labelcache
