// SPDX-License-Identifier: Apache-2.0
// How a daemon's costs grow with what it has finished.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/text_table.h"

namespace remixer::coordinator::command {

struct BenchSchedulerOptions {
  std::vector<int64_t> finished;  // empty: 1,000 and 100,000
  int64_t submitted = 10000;
  int64_t evaluations = 1;  // of each cell
  int64_t claims = 2000;
  std::string program;           // what each task of the throughput runs; empty: nothing
  std::filesystem::path folder;  // empty: the system's temporary folder
};

// Prints a row for each of `finished`: a real daemon in a process of its own, spoken to over HTTP
// by one worker (claims), then by two at once (tasks a second).
int bench_scheduler(const BenchSchedulerOptions& options, Format format);

}  // namespace remixer::coordinator::command
