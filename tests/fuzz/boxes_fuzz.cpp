// SPDX-License-Identifier: Apache-2.0
// Tables of boxes: any bytes are a table or bad input, named with its line in one line of text.
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "core/dataset/box_table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace remixer;
  try {
    data::read_box_table({reinterpret_cast<const char*>(bytes), size}, "fuzzed.csv",
                         [](const data::BoxRow& row) {
                           if (row.image.empty()) std::abort();
                         });
  } catch (const InputError& error) {
    const std::string message = error.what();
    if (message.find("fuzzed.csv") == std::string::npos) std::abort();
    if (message.find('\n') != std::string::npos) std::abort();
  }
  return 0;
}
