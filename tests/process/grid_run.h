// SPDX-License-Identifier: Apache-2.0
// Small grids on real images through the real programs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "tests/support/program.h"

namespace remixer::testing {

// build/bin/NAME.
std::string program(const std::string& name);

// A grid of two cells (plain and with GrabCut's labels) on a few hundred images.
std::string small_grid(int epochs = 2, const std::string& architecture = "deit_nano_patch4_32");

// `remixer run` of `grid` in folder/workspace, with two ranks.
std::vector<std::string> run_command(const ScratchFolder& folder, const std::string& grid);

// Every committed figure, by "labeler/eval_set/metric": what two runs must agree on.
std::map<std::string, double> figures(const fs::path& workspace);

// Every point of the learning curves (loss, rates, κ), by "labeler/name/step"; of a step that
// several attempts made the latest; without the two points that depend on where a run resumed. What
// two runs must agree on as well.
std::map<std::string, double> curves(const fs::path& workspace);

// One number from the database.
int64_t count(const fs::path& workspace, const std::string& sql);

}  // namespace remixer::testing
