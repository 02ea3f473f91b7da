// SPDX-License-Identifier: Apache-2.0
#include "labelcache/file/block.h"

#include <zstd.h>

#include <cassert>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/hash.h"
#include "labelcache/file/bytes.h"
#include "labelcache/file/packed_record.h"

namespace remixer::labelcache {
namespace {

constexpr int kCompressionLevel = 6;

std::string compress(std::string_view bytes) {
  std::string stored(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size =
      ZSTD_compress(stored.data(), stored.size(), bytes.data(), bytes.size(), kCompressionLevel);
  if (ZSTD_isError(size)) fail("cannot compress label maps: {}", ZSTD_getErrorName(size));
  stored.resize(size);
  return stored;
}

// One context per thread: creating one takes longer than decompressing a block.
ZSTD_DCtx* decompression_context() {
  thread_local const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(),
                                                                                  &ZSTD_freeDCtx);
  return context.get();
}

}  // namespace

void BlockBuilder::add(std::string_view id, std::string_view record) {
  ids_ += id;
  if (shape_.top_k > 0) {
    pack_record(record, shape_, records_);
  } else {
    records_ += record;
  }
  samples_.push_back({static_cast<uint32_t>(ids_.size()), static_cast<uint32_t>(records_.size())});
}

std::string BlockBuilder::take(uint32_t first_sample) {
  BlockHeader header;
  header.first_sample = first_sample;
  header.record_bytes = static_cast<uint32_t>(records_.size());
  header.samples = static_cast<uint16_t>(samples_.size());
  header.codec = shape_.top_k > 0 ? Codec::kPacked : Codec::kZstd;
  std::string bytes;
  append(bytes, header);
  for (const BlockSample& sample : samples_) append(bytes, sample);
  bytes += ids_;
  bytes += header.codec == Codec::kZstd ? compress(records_) : records_;
  header.stored_bytes = static_cast<uint32_t>(bytes.size());
  header.checksum = xxh3(std::string_view(bytes).substr(kBlockChecked));
  std::memcpy(bytes.data(), &header, sizeof header);
  samples_.clear();
  ids_.clear();
  records_.clear();
  return bytes;
}

bool BlockView::open(std::string_view bytes, const MapShape& shape, BlockView& view) {
  if (bytes.size() < sizeof(BlockHeader)) return false;
  const auto header = load<BlockHeader>(bytes, 0);
  if (header.magic != kBlockMagic || header.stored_bytes < sizeof(BlockHeader) ||
      header.stored_bytes > bytes.size()) {
    return false;
  }
  bytes = bytes.substr(0, header.stored_bytes);
  if (xxh3(bytes.substr(kBlockChecked)) != header.checksum) return false;
  // The checksum matches, so the checks below only reject blocks written wrongly by other programs.
  if (header.codec != (shape.top_k > 0 ? Codec::kPacked : Codec::kZstd)) return false;
  const size_t fixed = sizeof(BlockHeader) + header.samples * sizeof(BlockSample);
  if (header.samples == 0 || fixed > bytes.size()) return false;
  view.bytes_ = bytes;
  BlockSample before;
  for (uint32_t i = 0; i < header.samples; ++i) {
    const BlockSample sample = view.sample(i);
    if (sample.id_end < before.id_end || sample.record_end <= before.record_end) return false;
    before = sample;
  }
  if (before.record_end != header.record_bytes || before.id_end > bytes.size() - fixed)
    return false;
  return header.codec == Codec::kZstd ||
         bytes.size() == fixed + before.id_end + uint64_t{header.record_bytes};
}

BlockView BlockView::trusted(std::string_view bytes) {
  BlockView view;
  view.bytes_ = bytes.substr(0, load<BlockHeader>(bytes, 0).stored_bytes);
  return view;
}

BlockHeader BlockView::header() const {
  return load<BlockHeader>(bytes_, 0);
}

BlockSample BlockView::sample(uint32_t i) const {
  return load<BlockSample>(bytes_, sizeof(BlockHeader) + i * sizeof(BlockSample));
}

std::string_view BlockView::id(uint32_t i) const {
  const size_t text = sizeof(BlockHeader) + header().samples * sizeof(BlockSample);
  const uint32_t begin = i == 0 ? 0 : sample(i - 1).id_end;
  return bytes_.substr(text + begin, sample(i).id_end - begin);
}

std::string_view BlockView::packed_record(uint32_t i) const {
  const BlockHeader head = header();
  assert(head.codec == Codec::kPacked);
  const size_t records = bytes_.size() - head.record_bytes;
  const uint32_t begin = i == 0 ? 0 : sample(i - 1).record_end;
  return bytes_.substr(records + begin, sample(i).record_end - begin);
}

std::string BlockView::decompressed() const {
  const BlockHeader head = header();
  assert(head.codec == Codec::kZstd);
  const std::string_view stored = bytes_.substr(sizeof head + head.samples * sizeof(BlockSample) +
                                                sample(head.samples - 1u).id_end);
  // A Zstandard block takes at least 3 bytes and holds at most 128 KiB; reject impossible sizes.
  if (head.record_bytes > (stored.size() / 3 + 1) * (uint64_t{128} << 10)) return {};
  std::string records(head.record_bytes, '\0');
  const size_t size = ZSTD_decompressDCtx(decompression_context(), records.data(), records.size(),
                                          stored.data(), stored.size());
  if (ZSTD_isError(size) || size != records.size()) records.clear();
  return records;
}

std::string_view BlockView::record_in(std::string_view records, uint32_t i) const {
  const uint32_t begin = i == 0 ? 0 : sample(i - 1).record_end;
  return records.substr(begin, sample(i).record_end - begin);
}

std::string BlockView::record(uint32_t i, const MapShape& shape) const {
  if (header().codec == Codec::kPacked) {
    UnpackedRecord unpacked;
    unpack_record(packed_record(i), shape, unpacked);
    return encode_record(to_map(unpacked, shape), shape);
  }
  const std::string records = decompressed();
  if (records.empty()) fail_input("a block of label maps does not decompress");
  return std::string(record_in(records, i));
}

}  // namespace remixer::labelcache
