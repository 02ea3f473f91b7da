// SPDX-License-Identifier: Apache-2.0
// `remixer bench loader FOLDER`.
#pragma once

namespace remixer::data {

// Reads the images below FOLDER (a folder or a tar archive) as training does and prints how many a
// second a core. argv[0] is the command's own name. Returns the exit code; throws Error,
// InputError.
int bench_loader_command(int argc, char** argv);

}  // namespace remixer::data
