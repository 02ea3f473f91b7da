// SPDX-License-Identifier: Apache-2.0
#include "labelcache/file/label_file_writer.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "labelcache/file/bit_packing.h"
#include "labelcache/file/bytes.h"
#include "labelcache/file/mapped_file.h"

namespace remixer::labelcache {
namespace {

// Part `i` of a text whose parts end at `ends`.
std::string_view part(const std::string& text, const std::vector<uint32_t>& ends, uint32_t i) {
  const uint32_t begin = i == 0 ? 0 : ends[i - 1];
  return std::string_view(text).substr(begin, ends[i] - begin);
}

size_t samples_a_block(size_t record_bytes, const MapShape& shape) {
  const size_t wanted = shape.top_k > 0 ? kTopKBlockBytes : kDenseBlockBytes;
  return std::clamp<size_t>(wanted / record_bytes, 1, kMostBlockSamples);
}

}  // namespace

LabelFileWriter::LabelFileWriter(std::filesystem::path path, Provenance provenance)
    : path_(std::move(path)),
      provenance_(std::move(provenance)),
      file_(path_),
      content_(provenance_.shape),
      block_(provenance_.shape) {
  const std::string prologue = encode_prologue(provenance_);
  resume(prologue);
  if (file_.size() < prologue.size()) {
    file_.truncate(0);
    file_.append(prologue);
  }
}

LabelFileWriter::~LabelFileWriter() {
  if (block_offsets_.empty()) file_.discard();
}

// Keeps the whole blocks of a partial file with the same labels and truncates the rest.
void LabelFileWriter::resume(const std::string& prologue) {
  uint64_t whole = 0;
  {
    const MappedFile mapped(file_.partial());
    if (mapped.bytes().starts_with(prologue)) {
      whole = prologue.size();
      block_end_ = whole;
      while (take_up(mapped.bytes().substr(whole))) whole = block_end_;
    }
  }
  file_.truncate(whole);
}

// True if `bytes` starts with the next whole block; its samples are then counted.
bool LabelFileWriter::take_up(std::string_view bytes) {
  if (bytes.size() < sizeof(BlockHeader)) return false;
  const auto header = load<BlockHeader>(bytes, 0);
  if (header.stored_bytes > bytes.size() || header.first_sample != samples() ||
      (block_samples_ != 0 && header.samples != block_samples_) ||
      samples() + int64_t{header.samples} > provenance_.images) {
    return false;
  }
  std::string copy(bytes.substr(0, header.stored_bytes));
  copy.append(kReadSlack, '\0');
  BlockView view;
  if (!BlockView::open(std::string_view(copy).substr(0, header.stored_bytes), provenance_.shape,
                       view)) {
    return false;
  }
  for (uint32_t i = 0; i < header.samples; ++i) {
    count(view.id(i), view.record(i, provenance_.shape));
  }
  block_samples_ = header.samples;
  block_offsets_.push_back(block_end_);
  block_end_ += header.stored_bytes;
  return true;
}

void LabelFileWriter::count(std::string_view id, std::string_view record) {
  if (ids_.size() + id.size() > std::numeric_limits<uint32_t>::max()) {
    fail_input("{}: too many samples for one label file", path_.string());
  }
  content_.add(id, record);
  ids_ += id;
  id_ends_.push_back(static_cast<uint32_t>(ids_.size()));
}

void LabelFileWriter::add(std::string_view id, std::string_view record) {
  assert(record_size(record, provenance_.shape) == record.size());
  if (block_samples_ == 0) block_samples_ = samples_a_block(record.size(), provenance_.shape);
  count(id, record);
  block_.add(id, record);
  if (block_.samples() == block_samples_) write_block();
}

void LabelFileWriter::write_block() {
  if (block_.samples() == 0) return;
  block_offsets_.push_back(file_.size());
  file_.append(block_.take(samples() - static_cast<uint32_t>(block_.samples())));
  file_.sync(/*now=*/false);
}

std::string LabelFileWriter::index() {
  std::string bytes;
  for (const uint64_t offset : block_offsets_) append(bytes, offset);
  append(bytes, file_.size());
  const auto id = [&](uint32_t sample) { return part(ids_, id_ends_, sample); };
  std::vector<Slot> slots(slots_for(samples()));
  const auto count = static_cast<uint32_t>(slots.size());
  for (uint32_t sample = 0; sample < samples(); ++sample) {
    const uint64_t hash = xxh3(id(sample));
    const Slot slot{static_cast<uint32_t>(hash), sample};
    uint32_t place = first_slot(hash, count);
    for (; slots[place].sample != Slot::kNoSample; place = (place + 1) % count) {
      if (slots[place].tag == slot.tag && id(slots[place].sample) == id(sample)) {
        const std::string name(id(sample));
        file_.discard();
        fail_input("{}: sample {} appears twice in its dataset's index", path_.string(), name);
      }
    }
    slots[place] = slot;
  }
  bytes.append(reinterpret_cast<const char*>(slots.data()), slots.size() * sizeof(Slot));
  return bytes;
}

std::string LabelFileWriter::finish() {
  assert(static_cast<int64_t>(samples()) == provenance_.images);
  write_block();
  const std::string text = index();
  const std::string sha256 = content_.finish();
  Footer footer;
  footer.index_offset = file_.size();
  footer.index_bytes = text.size();
  footer.index_checksum = xxh3(text);
  footer.samples = samples();
  footer.blocks = static_cast<uint32_t>(block_offsets_.size());
  footer.block_samples = static_cast<uint32_t>(block_samples_);
  footer.slots = slots_for(samples());
  assert(sha256.size() == footer.content_sha256.size());
  std::memcpy(footer.content_sha256.data(), sha256.data(), sha256.size());
  footer.checksum = xxh3(std::string_view(reinterpret_cast<const char*>(&footer), kFooterChecked));
  std::string bytes;
  append(bytes, footer);
  file_.append(text + bytes);
  file_.commit();
  return sha256;
}

}  // namespace remixer::labelcache
