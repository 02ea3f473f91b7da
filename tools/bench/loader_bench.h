// SPDX-License-Identifier: Apache-2.0
// `remixer bench loader FOLDER`: speed of reading images.
#pragma once

namespace remixer::data {

// Reads the images in FOLDER (a folder or a tar archive) as in training and prints images per
// second and core. argv[0] is the command's own name. Returns the exit code; throws Error,
// InputError.
int bench_loader_command(int argc, char** argv);

}  // namespace remixer::data
