// SPDX-License-Identifier: Apache-2.0
// PASCAL-VOC files: any bytes are an annotation or bad input, named in one line.
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "core/dataset/boxes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace remixer;
  try {
    data::parse_voc({reinterpret_cast<const char*>(bytes), size}, "fuzzed.xml");
  } catch (const InputError& error) {
    if (std::string(error.what()).find("fuzzed.xml") == std::string::npos) std::abort();
  }
  return 0;
}
