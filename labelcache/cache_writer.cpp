#include "labelcache/cache_writer.h"

#include <zstd.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>
#include <numeric>

#include "core/base/error.h"
#include "labelcache/bytes.h"

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

// Part `i` of a text that is cut at `ends`.
std::string_view part(const std::string& text, const std::vector<uint32_t>& ends, uint32_t i) {
  const uint32_t begin = i == 0 ? 0 : ends[i - 1];
  return std::string_view(text).substr(begin, ends[i] - begin);
}

}  // namespace

CacheWriter::CacheWriter(std::filesystem::path path, Provenance provenance)
    : path_(std::move(path)), provenance_(std::move(provenance)), file_(path_) {
  const std::string text = experiments::canonical_json(to_json(provenance_));
  Prologue prologue;
  prologue.provenance_bytes = static_cast<uint32_t>(text.size());
  prologue.provenance_checksum = xxh3(text);
  std::string bytes;
  append(bytes, prologue);
  file_.write(bytes + text);
  std::string shape;
  append(shape, static_cast<uint32_t>(provenance_.shape.channels));
  append(shape, static_cast<uint32_t>(provenance_.shape.top_k));
  content_.update(shape);
}

void CacheWriter::add(std::string_view id, std::string_view record) {
  assert(record_size(record, provenance_.shape) == record.size());
  if (ids_.size() + id.size() > std::numeric_limits<uint32_t>::max()) {
    fail_input("{}: too many samples for one label file", path_.string());
  }
  std::string length;
  append(length, static_cast<uint32_t>(id.size()));
  content_.update(length);
  content_.update(id);
  content_.update(record);
  ids_ += id;
  id_ends_.push_back(static_cast<uint32_t>(ids_.size()));
  block_ += record;
  if (block_.size() >= kBlockBytes) write_block();
}

void CacheWriter::write_block() {
  const uint32_t samples = static_cast<uint32_t>(id_ends_.size());
  if (samples == block_first_) return;
  const std::string stored = compress(block_);
  BlockEntry entry;
  entry.offset = file_.size();
  entry.checksum = xxh3(stored);
  entry.stored_bytes = static_cast<uint32_t>(stored.size());
  entry.record_bytes = static_cast<uint32_t>(block_.size());
  entry.first_sample = block_first_;
  entry.samples = samples - block_first_;
  file_.write(stored);
  blocks_.push_back(entry);
  block_.clear();
  block_first_ = samples;
}

std::string CacheWriter::index() const {
  std::vector<uint32_t> order(id_ends_.size());
  std::iota(order.begin(), order.end(), 0);
  const auto id = [&](uint32_t sample) { return part(ids_, id_ends_, sample); };
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return id(a) < id(b); });
  const auto twice = std::adjacent_find(order.begin(), order.end(),
                                        [&](uint32_t a, uint32_t b) { return id(a) == id(b); });
  if (twice != order.end()) {
    fail_input("{}: sample {} appears twice in its dataset's index", path_.string(), id(*twice));
  }
  std::string bytes;
  for (const BlockEntry& entry : blocks_) append(bytes, entry);
  for (const uint32_t end : id_ends_) append(bytes, end);
  for (const uint32_t sample : order) append(bytes, sample);
  return bytes + ids_;
}

std::string CacheWriter::finish() {
  assert(static_cast<int64_t>(id_ends_.size()) == provenance_.images);
  write_block();
  const std::string text = index();
  const std::string sha256 = content_.finish();
  Footer footer;
  footer.index_offset = file_.size();
  footer.index_bytes = text.size();
  footer.index_checksum = xxh3(text);
  footer.samples = static_cast<uint32_t>(id_ends_.size());
  footer.blocks = static_cast<uint32_t>(blocks_.size());
  assert(sha256.size() == footer.content_sha256.size());
  std::memcpy(footer.content_sha256.data(), sha256.data(), sha256.size());
  footer.checksum = xxh3(std::string_view(reinterpret_cast<const char*>(&footer), kFooterChecked));
  std::string bytes;
  append(bytes, footer);
  file_.write(text);
  file_.write(bytes);
  file_.commit();
  return sha256;
}

}  // namespace remixer::labelcache
