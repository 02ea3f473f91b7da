// SPDX-License-Identifier: Apache-2.0
// The access file: any text is an access file or bad input.
#include <string>

#include "base/error.h"
#include "experiments/protocol/parse_access.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  try {
    remixer::experiments::protocol::parse_access(
        std::string(reinterpret_cast<const char*>(bytes), size), "access.json");
  } catch (const remixer::InputError&) {
  }
  return 0;
}
