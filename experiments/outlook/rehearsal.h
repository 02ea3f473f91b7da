// SPDX-License-Identifier: Apache-2.0
// What a rehearsal runs in a grid's place: the same models, labelers, sets and tables, on a few
// made-up images and for two steps.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "experiments/grid/grid.h"

namespace remixer::experiments {

// Stands in every name that a rehearsal's results carry.
inline constexpr const char* kRehearsal = "REHEARSAL";

struct RehearsalTerms {
  bool gpu = false;   // the recipe's batch, precision and seeds; else smaller ones
  int64_t ranks = 1;  // of a worker
};

// What is to be made up for it: {"datasets": [...], "weights": [...]}, as tools/rehearsal reads it.
// `workspace`: the real one, whose weights are taken where they are; `installed`: where others are
// looked for.
Json rehearsal_order(const OutlinedGrid& outlined, const std::filesystem::path& workspace,
                     const std::filesystem::path& installed, const RehearsalTerms& terms);

// The grid to run, once that was made. `pins`: the hashes of what was made, by the names in the
// order. Throws InputError as read_grid() does.
Grid rehearsal_grid(const GridFile& real, const std::filesystem::path& scratch,
                    const std::map<std::string, std::string>& pins, const RehearsalTerms& terms);

// What is other than in the real thing, a line each, for people.
std::vector<std::string> rehearsal_differences(const GridFile& real, const RehearsalTerms& terms);

}  // namespace remixer::experiments
