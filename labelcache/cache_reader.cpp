#include "labelcache/cache_reader.h"

#include <zstd.h>

#include <algorithm>
#include <cassert>

#include "core/base/error.h"
#include "core/base/hash.h"
#include "labelcache/bytes.h"

namespace remixer::labelcache {
namespace {

std::string_view slice(std::string_view bytes, uint64_t offset, uint64_t size) {
  return bytes.substr(static_cast<size_t>(offset), static_cast<size_t>(size));
}

}  // namespace

CacheReader::CacheReader(const std::filesystem::path& path, uint64_t memory_limit)
    : path_(path), file_(path), memory_limit_(memory_limit) {
  read_prologue();
  read_footer();
  check_index();
  kept_.resize(footer_.blocks);
}

void CacheReader::fail_damaged(std::string_view part) const {
  fail_input("{}: {} is damaged; remove the file and make the labels again", path_.string(), part);
}

void CacheReader::read_prologue() {
  const std::string_view bytes = file_.bytes();
  const std::string_view magic(kFileMagic.data(), kFileMagic.size());
  if (bytes.size() < sizeof(Prologue) + sizeof(Footer)) {
    fail_input("{}: torn, or no label file: only {} bytes", path_.string(), bytes.size());
  }
  if (bytes.substr(0, magic.size()) != magic) fail_input("{}: not a label file", path_.string());
  const auto prologue = load<Prologue>(bytes, 0);
  if (prologue.version != kFileVersion) {
    fail_input("{}: label file version {}, this program reads version {}", path_.string(),
               prologue.version, kFileVersion);
  }
  if (prologue.provenance_bytes > bytes.size() - sizeof(Prologue) - sizeof(Footer)) {
    fail_damaged("its prologue");
  }
  const auto text = slice(bytes, sizeof(Prologue), prologue.provenance_bytes);
  if (xxh3(text) != prologue.provenance_checksum) fail_damaged("its provenance");
  try {
    provenance_ = provenance_from_json(text);
  } catch (const InputError& error) {
    fail_input("{}: {}", path_.string(), error.what());
  }
}

void CacheReader::read_footer() {
  const std::string_view bytes = file_.bytes();
  const auto place = bytes.size() - sizeof(Footer);
  footer_ = load<Footer>(bytes, place);
  if (footer_.magic != kEndMagic) {
    fail_input("{}: torn: its end is missing; remove the file and make the labels again",
               path_.string());
  }
  if (xxh3(slice(bytes, place, kFooterChecked)) != footer_.checksum) fail_damaged("its footer");
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

void CacheReader::check_index() const {
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

BlockEntry CacheReader::entry(uint32_t block) const {
  return load<BlockEntry>(index_, block * sizeof(BlockEntry));
}

std::string_view CacheReader::id(uint32_t sample) const {
  assert(sample < footer_.samples);
  const uint32_t begin = sample == 0 ? 0 : load<uint32_t>(id_ends_, (sample - 1) * 4ull);
  return slice(ids_, begin, load<uint32_t>(id_ends_, sample * 4ull) - begin);
}

uint32_t CacheReader::block_of(uint32_t sample) const {
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

data::LabelMap CacheReader::map(std::string_view sample_id) const {
  uint32_t low = 0, high = footer_.samples;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (id(load<uint32_t>(by_id_, middle * 4ull)) < sample_id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low < footer_.samples) {
    const auto sample = load<uint32_t>(by_id_, low * 4ull);
    if (id(sample) == sample_id) return map_of(sample);
  }
  fail_input("{}: no labels for sample {}", path_.string(), sample_id);
}

data::LabelMap CacheReader::map_of(uint32_t sample) const {
  assert(sample < footer_.samples);
  const uint32_t number = block_of(sample);
  return decode(sample, block(number)->record(sample - entry(number).first_sample));
}

data::LabelMap CacheReader::decode(uint32_t sample, std::string_view record) const {
  try {
    return decode_record(record, provenance_.shape);
  } catch (const InputError& error) {
    fail_input("{}: sample {}: {}", path_.string(), id(sample), error.what());
  }
}

std::string_view CacheReader::Block::record(uint32_t i) const {
  const uint32_t begin = i == 0 ? 0 : ends[i - 1];
  return std::string_view(records).substr(begin, ends[i] - begin);
}

CacheReader::Block CacheReader::read_block(uint32_t number) const {
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

std::shared_ptr<const CacheReader::Block> CacheReader::block(uint32_t number) const {
  {
    const std::lock_guard lock(mutex_);
    if (kept_[number].block) {
      used_.splice(used_.begin(), used_, kept_[number].use);
      return kept_[number].block;
    }
  }
  // Outside the lock: two threads may decompress the same block, and the second one's is dropped.
  const auto fresh = std::make_shared<const Block>(read_block(number));
  const std::lock_guard lock(mutex_);
  if (kept_[number].block) return kept_[number].block;
  used_.push_front(number);
  kept_[number] = {fresh, used_.begin()};
  kept_bytes_ += fresh->records.size();
  while (kept_bytes_ > memory_limit_ && used_.size() > 1) {
    Kept& oldest = kept_[used_.back()];
    kept_bytes_ -= oldest.block->records.size();
    oldest.block.reset();
    used_.pop_back();
  }
  return fresh;
}

void CacheReader::verify() const {
  Sha256 content;
  std::string prefix;
  append(prefix, static_cast<uint32_t>(provenance_.shape.channels));
  append(prefix, static_cast<uint32_t>(provenance_.shape.top_k));
  content.update(prefix);
  for (uint32_t number = 0; number < footer_.blocks; ++number) {
    const Block block = read_block(number);
    const BlockEntry place = entry(number);
    for (uint32_t i = 0; i < place.samples; ++i) {
      const auto name = id(place.first_sample + i);
      std::string length;
      append(length, static_cast<uint32_t>(name.size()));
      content.update(length);
      content.update(name);
      content.update(block.record(i));
      decode(place.first_sample + i, block.record(i));
    }
  }
  if (content.finish() != content_sha256_) {
    fail_input("{}: the labels do not have the hash that the file records; make them again",
               path_.string());
  }
}

}  // namespace remixer::labelcache
