// SPDX-License-Identifier: Apache-2.0
// How much main memory decoded images may take.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace remixer::training {

// Bytes of main memory that this process may still fill: what the kernel says is available, or less
// if a control group that it is in (a Slurm job's, a container's) has a limit. Pages of files that
// the kernel can drop count as free. None if the kernel does not say. `root` is "/" outside tests.
std::optional<int64_t> memory_at_hand(const std::filesystem::path& root = "/");

// A limit of a rank's cache that every machine can bear.
constexpr int64_t kUsualCacheBytes = int64_t{1} << 30;

// What a rank may keep of its images, and as much again of its labels: together half of the memory
// at hand, divided among the `ranks` of its machine; kUsualCacheBytes if nothing is known.
int64_t cache_bytes(std::optional<int64_t> at_hand, int ranks);

}  // namespace remixer::training
