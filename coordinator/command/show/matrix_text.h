// SPDX-License-Identifier: Apache-2.0
// A grid's cells as a table for the terminal: models down, labelers across.
#pragma once

#include <string>

#include "base/json.h"

namespace remixer::coordinator::command {

// `matrix` as GET /grids/{id}/matrix answers it. A place shows the mean over its seeds on
// `eval_set`, with the deviation where there are several, or how far its tasks are; what failed is
// marked. Empty where the grid has no cells.
std::string matrix_text(const Json& matrix, const std::string& eval_set, size_t width);

// The set to show where nobody chose one: original, or the first; empty where there is none.
std::string usual_eval_set(const Json& matrix);

}  // namespace remixer::coordinator::command
