// SPDX-License-Identifier: Apache-2.0
// Headers of safetensors: any text is a header, whose entries tile the data, or bad input.
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "base/safetensors_header.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace remixer;
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  constexpr uint64_t kData = 64;
  try {
    header_length(text, size, "fuzzed.safetensors");
  } catch (const InputError&) {
  }
  try {
    uint64_t at = 0;
    for (const TensorEntry& entry : parse_header(text, kData, "fuzzed.safetensors").entries) {
      if (entry.begin != at || entry.end < at) std::abort();
      at = entry.end;
    }
    if (at != kData) std::abort();
  } catch (const InputError& error) {
    if (std::string(error.what()).find("fuzzed.safetensors") == std::string::npos) std::abort();
  }
  return 0;
}
