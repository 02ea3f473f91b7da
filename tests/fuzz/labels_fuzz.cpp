// SPDX-License-Identifier: Apache-2.0
// Label files: any bytes are a file, every map of which can be read or is named as damaged, or bad
// input. The checksums are mended first, or nearly all inputs would end there.
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/error.h"
#include "base/hash.h"
#include "labelcache/file/bytes.h"
#include "labelcache/file/label_file_reader.h"
#include "tests/fuzz/memory_file.h"

namespace remixer::labelcache {
namespace {

template <typename T>
void store(std::string& bytes, size_t place, const T& value) {
  std::memcpy(&bytes[place], &value, sizeof value);
}

// As far as lengths and offsets lead to what is summed.
void mend(std::string& bytes) {
  if (bytes.size() < sizeof(Prologue) + sizeof(Footer)) return;
  auto prologue = load<Prologue>(bytes, 0);
  prologue.magic = kFileMagic;
  prologue.version = kFileVersion;
  const std::string_view all = bytes;
  if (prologue.provenance_bytes < bytes.size() - sizeof prologue) {
    prologue.provenance_checksum = xxh3(all.substr(sizeof prologue, prologue.provenance_bytes));
  }
  store(bytes, 0, prologue);

  const size_t place = bytes.size() - sizeof(Footer);
  auto footer = load<Footer>(bytes, place);
  footer.magic = kEndMagic;
  if (footer.index_offset < place) {
    footer.index_bytes = place - footer.index_offset;
    const size_t index = footer.index_offset;
    for (size_t i = index; i + sizeof(uint64_t) <= place && i / 8 < index / 8 + footer.blocks;
         i += sizeof(uint64_t)) {
      const auto begin = load<uint64_t>(bytes, i);
      if (begin >= index || index - begin < sizeof(BlockHeader)) break;
      auto header = load<BlockHeader>(bytes, begin);
      header.magic = kBlockMagic;
      if (header.stored_bytes < kBlockChecked || header.stored_bytes > index - begin) continue;
      store(bytes, begin, header);
      header.checksum =
          xxh3(all.substr(begin + kBlockChecked, header.stored_bytes - kBlockChecked));
      store(bytes, begin, header);
    }
    footer.index_checksum = xxh3(all.substr(index, footer.index_bytes));
  }
  store(bytes, place, footer);
  footer.checksum = xxh3(all.substr(place, kFooterChecked));
  store(bytes, place, footer);
}

template <typename Act>
void expect_named(Act&& act) {
  try {
    act();
  } catch (const InputError& error) {
    if (std::string(error.what()).find("/proc/self/fd/") == std::string::npos) std::abort();
  }
}

void read(const std::filesystem::path& path) {
  constexpr uint32_t kMost = 64;  // samples
  const LabelFileReader reader(path);
  const MapShape& shape = reader.provenance().shape;
  for (uint32_t sample = 0; sample < std::min(reader.samples(), kMost); ++sample) {
    expect_named([&] {
      const data::LabelMap map = reader.map_of(sample);
      if (map.channels != reader.channels() || map.height < 1 || map.width < 1) std::abort();
      for (const uint16_t index : map.indices) {
        if (index >= map.channels) std::abort();
      }
    });
    expect_named([&] { reader.map(reader.id(sample)); });
    if (shape.top_k == 0) continue;
    expect_named([&] {
      UnpackedRecord record;
      reader.unpack(reader.id(sample), record);
      if (!all_finite(record, shape)) std::abort();
    });
  }
  expect_named([&] { reader.verify(); });
}

}  // namespace
}  // namespace remixer::labelcache

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace remixer;
  std::string text(reinterpret_cast<const char*>(bytes), size);
  labelcache::mend(text);
  const testing::MemoryFile file(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  labelcache::expect_named([&] { labelcache::read(file.path()); });
  return 0;
}
