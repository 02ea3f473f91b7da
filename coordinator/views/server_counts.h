// SPDX-License-Identifier: Apache-2.0
// Counters of the HTTP server.
#pragma once

#include <cstdint>

namespace remixer::coordinator {

struct ServerCounts {
  uint64_t requests = 0, refusals = 0;
  int connections = 0, streams = 0;  // current numbers
};

}  // namespace remixer::coordinator
