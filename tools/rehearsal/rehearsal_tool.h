// SPDX-License-Identifier: Apache-2.0
// `remixer-tools rehearsal ORDER --workspace DIR`: makes the data and weights that `remixer
// rehearse` orders, and prints what it made as JSON. Internal: called by `remixer rehearse`.
#pragma once

namespace remixer::rehearsal {

int rehearsal_command(int argc, char** argv);

}  // namespace remixer::rehearsal
