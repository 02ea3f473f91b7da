// SPDX-License-Identifier: Apache-2.0
#include "labelcache/file/packed_file.h"

#include "base/error.h"
#include "base/hash.h"
#include "labelcache/file/bytes.h"
#include "labelcache/file/mapped_file.h"

namespace remixer::labelcache {

std::unique_ptr<PackedFile> PackedFile::open(const std::filesystem::path& path,
                                             uint64_t memory_limit) {
  uint32_t version = 0;
  {
    const MappedFile file(path);
    const std::string_view bytes = file.bytes();
    if (bytes.size() < sizeof(Prologue)) {
      fail_input("{}: torn, or no label file: only {} bytes", path.string(), bytes.size());
    }
    const auto prologue = load<Prologue>(bytes, 0);
    if (prologue.magic != kFileMagic) fail_input("{}: not a label file", path.string());
    version = prologue.version;
  }
  if (version == kFileVersion) return open_version2(path, memory_limit);
  fail_input("{}: label file of version {}; this program reads version {}: make the labels again",
             path.string(), version, kFileVersion);
}

void PackedFile::fail_damaged(std::string_view part) const {
  fail_input("{}: {} is damaged; remove the file and make the labels again", path_.string(), part);
}

uint64_t PackedFile::read_prologue(std::string_view bytes, size_t footer_bytes) {
  if (bytes.size() < sizeof(Prologue) + footer_bytes) {
    fail_input("{}: torn, or no label file: only {} bytes", path_.string(), bytes.size());
  }
  const auto prologue = load<Prologue>(bytes, 0);
  if (prologue.provenance_bytes > bytes.size() - sizeof(Prologue) - footer_bytes) {
    fail_damaged("its prologue");
  }
  const auto text = bytes.substr(sizeof(Prologue), prologue.provenance_bytes);
  if (xxh3(text) != prologue.provenance_checksum) fail_damaged("its provenance");
  try {
    provenance_ = provenance_from_json(text);
  } catch (const InputError& error) {
    fail_input("{}: {}", path_.string(), error.what());
  }
  return sizeof(Prologue) + prologue.provenance_bytes;
}

data::LabelMap PackedFile::map(uint32_t sample) const {
  const std::string bytes = record(sample);
  try {
    return decode_record(bytes, provenance_.shape);
  } catch (const InputError& error) {
    fail_input("{}: sample {}: {}", path_.string(), id(sample), error.what());
  }
}

void PackedFile::unpack(uint32_t sample, UnpackedRecord& record_out) const {
  std::string packed;
  pack_record(record(sample), provenance_.shape, packed);
  const size_t size = packed.size();
  packed.append(kReadSlack, '\0');
  unpack_record(std::string_view(packed).substr(0, size), provenance_.shape, record_out);
}

}  // namespace remixer::labelcache
