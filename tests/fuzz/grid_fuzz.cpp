// SPDX-License-Identifier: Apache-2.0
// The grid reader: any text is a grid or bad input, and a grid reads the same twice.
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "experiments/grid/grid.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace remixer::experiments;
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  try {
    const Grid first = parse_grid(text, "fuzzed.toml"), second = parse_grid(text, "fuzzed.toml");
    if (first.cells.size() != second.cells.size()) std::abort();
    for (size_t i = 0; i < first.cells.size(); ++i) {
      if (first.cells[i].id() != second.cells[i].id()) std::abort();
    }
  } catch (const remixer::InputError& error) {
    // One line, naming the file.
    const std::string message = error.what();
    if (message.find('\n') != std::string::npos) std::abort();
  }
  return 0;
}
