// SPDX-License-Identifier: Apache-2.0
// Restores results from run folders into a database that lacks them.
#pragma once

#include <string>
#include <vector>

#include "coordinator/engine/engine.h"

namespace remixer::coordinator {

struct Adopted {
  int64_t tasks = 0;    // examined
  int64_t done = 0;     // already had their result
  int64_t adopted = 0;  // restored from their folders now
  struct Refused {
    std::string folder, why;
  };
  std::vector<Refused> refused;  // results found but not valid
};
Json to_json(const Adopted& adopted);

// Searches the folders of the grid's tasks for finished results of their attempts, newest first,
// and commits those whose files all exist with the SHA-256 stated in the result. Reads the disk in
// the caller's thread. Throws NotFound if there is no such grid.
Adopted adopt_results(Engine& engine, int64_t grid_id);

}  // namespace remixer::coordinator
