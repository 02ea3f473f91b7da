// SPDX-License-Identifier: Apache-2.0
// Describes this worker's machine: versions, CPU, GPUs, settings. Stored with each attempt.
#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"
#include "experiments/protocol/messages.h"

namespace remixer::worker {

// One rank's host and device, for rank 0 to collect.
Json describe_rank(const std::string& device);

// Registration of this process: commit, library versions, CPU, memory, threads, kernels, the
// environment settings that may change speed or sums, `ranks`, describe_rank() of each, why they
// use their devices, and the content of the folder `weights`.
experiments::protocol::RegisterWorker describe_worker(const Json& ranks, const std::string& device,
                                                      const std::string& device_reason = "",
                                                      const std::filesystem::path& weights = {});

// For `remixer doctor`, as JSON: {"libtorch", "mpi", "cores", "ranks": describe_rank() of each,
// "device_reason", "cuda": CudaLibrary::describe() or {"problem"}, "weights", "labelers": [{"name",
// "problem"}]}. Each of `labelers` (as in cells) is created from the folder `weights` on `device`,
// as a task would do. Loads CUDA if `libraries` contains it, even without a GPU.
Json describe_machine(const Json& ranks, const std::string& device_reason,
                      const std::filesystem::path& libraries, const std::filesystem::path& weights,
                      const std::vector<experiments::LabelerSpec>& labelers, at::Device device);

}  // namespace remixer::worker
