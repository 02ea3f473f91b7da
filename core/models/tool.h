// `remixer model`: lists architectures, runs one forward or backward, converts weights.
#pragma once

namespace remixer::models {

// argv[0] is "model", the rest its arguments. Returns the program's exit code; throws InputError
// and Error as the library does.
int model_command(int argc, char** argv);

}  // namespace remixer::models
