// SPDX-License-Identifier: Apache-2.0
// Texts of `remixer plan`.
#pragma once

#include <string>
#include <vector>

#include "base/text_table.h"
#include "experiments/grid/grid_file.h"
#include "experiments/outlook/outlook.h"
#include "experiments/outlook/rates.h"

namespace remixer::coordinator::command {

// "small: 1 cell (0 finished already), 4 tasks: 1 reused, 3 to run".
std::string plan_heading(const std::string& grid, const experiments::Outlook& outlook);

// People read "12 min" and "1.5 GB", programs hours and gigabytes.
enum class Reader { kPerson, kProgram };
// One row per group of similar tasks. `gpu`: whether the device is a GPU.
Table work_table(const experiments::Outlook& outlook, bool gpu, Reader reader);

// Time and disk of all rows. `from_site`: whether a site file describes the machine.
std::string totals_text(const experiments::Outlook& outlook, const experiments::Machine& machine,
                        bool from_site);

// The missing inputs, with what brings each.
std::string missing_text(const std::vector<experiments::MissingInput>& missing);

}  // namespace remixer::coordinator::command
