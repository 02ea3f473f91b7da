// What this worker runs on, recorded beside each of its attempts.
#pragma once

#include <string>

#include "experiments/json.h"
#include "experiments/protocol/messages.h"

namespace remixer::worker {

// Registration of this process, with library versions, processor, threads and commit.
experiments::protocol::RegisterWorker describe_worker(int ranks, const std::string& device);

}  // namespace remixer::worker
