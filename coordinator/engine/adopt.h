// SPDX-License-Identifier: Apache-2.0
// Reads results back from run folders into a database that lacks them.
#pragma once

#include <string>
#include <vector>

#include "coordinator/engine/engine.h"

namespace remixer::coordinator {

struct Adopted {
  int64_t tasks = 0;    // that were looked at
  int64_t done = 0;     // had their result already
  int64_t adopted = 0;  // have it from their folders now
  struct Refused {
    std::string folder, why;
  };
  std::vector<Refused> refused;  // results that were found and cannot be believed
};
Json to_json(const Adopted& adopted);

// Looks in the folders of the grid's tasks for results that their attempts finished, the newest
// first, and commits those whose files are all there with the SHA-256 that the result says. Reads
// the disk in the caller's thread. Throws NotFound where there is no such grid.
Adopted adopt_results(Engine& engine, int64_t grid_id);

}  // namespace remixer::coordinator
