// SPDX-License-Identifier: Apache-2.0
// Describes this worker's machine: versions, processor, GPUs, settings. Stored with each attempt.
#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"
#include "experiments/protocol/messages.h"

namespace remixer::worker {

// One rank's host and device, for rank 0 to gather.
Json describe_rank(const std::string& device);

// Registration of this process: commit, library versions, processor, memory, threads, kernels, the
// settings of its environment that may change speed or sums, `ranks`, describe_rank() of each, why
// they run on what they run on, and what the folder `weights` holds.
experiments::protocol::RegisterWorker describe_worker(const Json& ranks, const std::string& device,
                                                      const std::string& device_reason = "",
                                                      const std::filesystem::path& weights = {});

// For `remixer doctor`, as JSON: {"libtorch", "mpi", "cores", "ranks": describe_rank() of each,
// "device_reason", "cuda": CudaLibrary::describe() or {"problem"}, "weights", "labelers": [{"name",
// "problem"}]}. Each of `labelers` (entries of cells) is made from the folder `weights`, as a task
// would make it. Loads CUDA where `libraries` holds it, whether there is a GPU or not.
Json describe_machine(const Json& ranks, const std::string& device_reason,
                      const std::filesystem::path& libraries, const std::filesystem::path& weights,
                      const Json& labelers);

}  // namespace remixer::worker
