// SPDX-License-Identifier: Apache-2.0
// Builds the grid that a rehearsal runs: the same models, labelers, sets and tables, on a few
// made-up images and for two steps.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "experiments/grid/grid.h"

namespace remixer::experiments {

// Part of every name in a rehearsal's results.
inline constexpr const char* kRehearsal = "REHEARSAL";

struct RehearsalTerms {
  bool gpu = false;   // true: the recipe's batch, precision and seeds; else smaller ones
  int64_t ranks = 1;  // per worker
};

// What to make up for it: {"datasets": [...], "weights": [...]}, as tools/rehearsal reads it.
// `workspace`: the real one, whose weights are used if it has them; `installed`: the folder in
// which the others are looked up.
Json rehearsal_order(const OutlinedGrid& outlined, const std::filesystem::path& workspace,
                     const std::filesystem::path& installed, const RehearsalTerms& terms);

// The grid to run once those inputs exist. `pins`: the hashes of the made-up weights, by their
// names in the order. Throws InputError as read_grid() does.
Grid rehearsal_grid(const GridFile& real, const std::filesystem::path& scratch,
                    const std::map<std::string, std::string>& pins, const RehearsalTerms& terms);

// How the rehearsal differs from the real run, one line each, for people.
std::vector<std::string> rehearsal_differences(const GridFile& real, const RehearsalTerms& terms);

}  // namespace remixer::experiments
