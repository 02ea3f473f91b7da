// SPDX-License-Identifier: Apache-2.0
// One block of a label file: consecutive samples' ids and records, encoded and read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "labelcache/file/label_file_format.h"

namespace remixer::labelcache {

// Collects samples and gives the block's bytes. Equal samples give equal bytes.
class BlockBuilder {
 public:
  explicit BlockBuilder(MapShape shape) : shape_(shape) {}
  void add(std::string_view id, std::string_view record);
  size_t samples() const { return samples_.size(); }
  // The whole block, its header included; the builder is empty afterwards.
  std::string take(uint32_t first_sample);

 private:
  MapShape shape_;
  std::vector<BlockSample> samples_;
  std::string ids_, records_;
};

// A view of a block that stands in memory, with kReadSlack readable bytes after it.
class BlockView {
 public:
  BlockView() = default;
  // `bytes` begins with a block. Nothing where they hold no whole one, or where its checksum or its
  // parts contradict each other: every later access stays inside.
  static bool open(std::string_view bytes, const MapShape& shape, BlockView& view);
  // The same without the checks, of a block that has passed them.
  static BlockView trusted(std::string_view bytes);

  BlockHeader header() const;
  std::string_view id(uint32_t i) const;
  // As stored: packed by itself. Of Codec::kPacked only.
  std::string_view packed_record(uint32_t i) const;
  // All records back to back, and where record i lies in them. Of Codec::kZstd only. Empty where
  // they do not decompress to what the header says.
  std::string decompressed() const;
  std::string_view record_in(std::string_view records, uint32_t i) const;
  // Record i as encode_record makes it, for either codec. Throws InputError where it is impossible.
  std::string record(uint32_t i, const MapShape& shape) const;

 private:
  BlockSample sample(uint32_t i) const;
  std::string_view bytes_;  // this block's alone
};

}  // namespace remixer::labelcache
