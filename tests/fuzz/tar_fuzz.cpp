// SPDX-License-Identifier: Apache-2.0
// Tar archives: any bytes are an archive, whose members can be read, or bad input. A header's
// checksum is mended first, or nearly all inputs would end there.
#include <cstdio>
#include <cstring>
#include <string>

#include "base/error.h"
#include "core/image/tar_archive.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace remixer;
  std::string text(reinterpret_cast<const char*>(bytes), size);
  for (size_t at = 0; at + 512 <= text.size(); at += 512) {
    if (std::memcmp(&text[at + 257], "ustar", 5) != 0) continue;
    unsigned sum = 8 * ' ';
    for (size_t i = 0; i < 512; ++i) {
      if (i < 148 || i >= 156) sum += static_cast<uint8_t>(text[at + i]);
    }
    std::snprintf(&text[at + 148], 8, "%06o", sum);
  }
  text.append(1024, '\0');
  const testing::MemoryFile file(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  try {
    const data::TarArchive archive(file.path());
    for (const auto& [name, member] : archive.members()) {
      if (member.offset < 0 || member.size < 0) __builtin_trap();
      archive.read(name);
    }
  } catch (const InputError&) {
  }
  return 0;
}
