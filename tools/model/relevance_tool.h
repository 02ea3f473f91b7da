// SPDX-License-Identifier: Apache-2.0
// `remixer model relevance`.
#pragma once

namespace remixer::explain {

// argv[0] is "relevance". As models::model_command.
int relevance_command(int argc, char** argv);

}  // namespace remixer::explain
