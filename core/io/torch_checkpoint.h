// SPDX-License-Identifier: Apache-2.0
// Reads weights from safetensors or from a checkpoint of torch.save.
#pragma once

#include <filesystem>
#include <string>

#include "core/io/safetensors.h"

namespace remixer::io {

// Reads safetensors like read_safetensors. From a .pth checkpoint (zip archive, or pickle from
// before PyTorch 1.6) it reads the floating-point tensors of entry `key`, by default of "model" or
// "state_dict", or of the top level. Prefixes of wrappers ("module.", "_orig_mod.", "model.") that
// all names share are removed. A separate Python program (remixer-checkpoint.py) reads checkpoints;
// it runs nothing that a pickle names. Throws InputError naming the file and its fault; Error if
// Python cannot be started.
Safetensors read_weights(const std::filesystem::path& path, const std::string& key = "");

}  // namespace remixer::io
