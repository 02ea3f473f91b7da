// SPDX-License-Identifier: Apache-2.0
// Formats a grid's cells as a table for the terminal: models as rows, labelers as columns.
#pragma once

#include <string>

#include "experiments/protocol/analysis_answers.h"

namespace remixer::coordinator::command {

// An entry shows the mean over its seeds on `eval_set`, with the deviation if there are several, or
// the progress of its tasks; failures are marked. Empty if the grid has no cells.
std::string matrix_text(const experiments::protocol::answers::Matrix& matrix,
                        const std::string& eval_set, size_t width);

// The default set: original, else the first; empty if there is none.
std::string usual_eval_set(const experiments::protocol::answers::Matrix& matrix);

}  // namespace remixer::coordinator::command
