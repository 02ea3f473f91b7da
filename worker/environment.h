// What this worker runs on, recorded beside each of its attempts.
#pragma once

#include <string>

#include "base/json.h"
#include "experiments/protocol/messages.h"

namespace remixer::worker {

// One rank's host and device, for rank 0 to gather.
experiments::Json describe_rank(const std::string& device);

// Registration of this process: commit, library versions, processor, memory, threads, kernels, the
// settings of its environment that may change speed or sums, and `ranks`, describe_rank() of each.
experiments::protocol::RegisterWorker describe_worker(const experiments::Json& ranks,
                                                      const std::string& device);

}  // namespace remixer::worker
