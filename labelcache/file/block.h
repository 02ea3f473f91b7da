// SPDX-License-Identifier: Apache-2.0
// Encodes and reads one block of a label file: the ids and records of consecutive samples.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "labelcache/file/label_file_format.h"

namespace remixer::labelcache {

// Collects samples and returns the block's bytes. Equal samples give equal bytes.
class BlockBuilder {
 public:
  explicit BlockBuilder(MapShape shape) : shape_(shape) {}
  void add(std::string_view id, std::string_view record);
  size_t samples() const { return samples_.size(); }
  // The whole block, including its header; the builder is empty afterwards.
  std::string take(uint32_t first_sample);

 private:
  MapShape shape_;
  std::vector<BlockSample> samples_;
  std::string ids_, records_;
};

// A view of a block in memory, with kReadSlack readable bytes after it.
class BlockView {
 public:
  BlockView() = default;
  // Opens the block at the start of `bytes`. False if it is incomplete, or if its checksum or its
  // parts do not match: later accesses then never leave the block.
  static bool open(std::string_view bytes, const MapShape& shape, BlockView& view);
  // The same without checks, for a block that has passed them.
  static BlockView trusted(std::string_view bytes);

  BlockHeader header() const;
  std::string_view id(uint32_t i) const;
  // As stored: packed separately. Only for Codec::kPacked.
  std::string_view packed_record(uint32_t i) const;
  // All records back to back, and record i in them. Only for Codec::kZstd. Empty if the data does
  // not decompress to the size in the header.
  std::string decompressed() const;
  std::string_view record_in(std::string_view records, uint32_t i) const;
  // Record i as encode_record makes it, for either codec. Throws InputError if it is invalid.
  std::string record(uint32_t i, const MapShape& shape) const;

 private:
  BlockSample sample(uint32_t i) const;
  std::string_view bytes_;  // of this block only
};

}  // namespace remixer::labelcache
