// SPDX-License-Identifier: Apache-2.0
// Writes one packed file of label maps.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "labelcache/file/block.h"
#include "labelcache/file/label_file_format.h"
#include "labelcache/file/partial_file.h"

namespace remixer::labelcache {

// The file appears complete at its path on finish(). Until then each block is appended to a partial
// file beside it once it is full; a later writer of the same labels (equal provenance) continues
// after its last whole block. So a killed process loses at most one block's samples, and a crashed
// machine also those of the last second. Equal provenance, ids and records in equal order give
// equal bytes, however often writing was interrupted. One thread.
class LabelFileWriter {
 public:
  // Throws InputError if another process is writing this file.
  LabelFileWriter(std::filesystem::path path, Provenance provenance);
  // Leaves whole blocks for the next writer; without any, leaves nothing.
  ~LabelFileWriter();
  LabelFileWriter(const LabelFileWriter&) = delete;
  LabelFileWriter& operator=(const LabelFileWriter&) = delete;

  // Samples already in the file: the next one to add is number samples().
  uint32_t samples() const { return static_cast<uint32_t>(id_ends_.size()); }

  // Adds the next sample; `record` as encode_record makes it.
  void add(std::string_view id, std::string_view record);

  // Writes the index and publishes the file. → SHA-256 of the labels (ids and records in order).
  // Throws InputError if an id was added twice; the number of samples must be as announced.
  std::string finish();

 private:
  void resume(const std::string& prologue);
  bool take_up(std::string_view bytes);
  void count(std::string_view id, std::string_view record);
  void write_block();
  std::string index();

  std::filesystem::path path_;
  Provenance provenance_;
  PartialFile file_;
  ContentHash content_;
  BlockBuilder block_;
  size_t block_samples_ = 0;  // 0 until the first sample is known
  std::vector<uint64_t> block_offsets_;
  uint64_t block_end_ = 0;  // of the last block kept from the partial file
  std::vector<uint32_t> id_ends_;
  std::string ids_;
};

}  // namespace remixer::labelcache
