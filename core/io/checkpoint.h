// SPDX-License-Identifier: Apache-2.0
// Reads weights from safetensors or from a checkpoint of torch.save.
#pragma once

#include <filesystem>
#include <string>

#include "core/io/safetensors.h"

namespace remixer::io {

// Reads safetensors as read_safetensors does. Of a .pth checkpoint (zip archive, or pickle from
// before PyTorch 1.6) reads the floating tensors of entry `key`, by default of "model" or
// "state_dict", or of its top; a prefix "module." that all share is cut off. Checkpoints are read
// by a Python program beside this one (remixer-checkpoint.py), which runs nothing that a pickle
// names. Throws InputError naming the file and what is wrong with it; Error where Python cannot be
// started.
Safetensors read_weights(const std::filesystem::path& path, const std::string& key = "");

}  // namespace remixer::io
