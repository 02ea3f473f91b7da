// SPDX-License-Identifier: Apache-2.0
// Loads and saves a model's weights.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/io/safetensors.h"
#include "core/models/model.h"

namespace remixer::models {

// Writes parameters and buffers under their names, atomically, with the architecture, spatial prior
// and `metadata` beside them.
void save_weights(const Model& model, const std::filesystem::path& path,
                  const std::map<std::string, std::string>& metadata = {});

// Sets parameters and buffers from a file that holds exactly theirs, in any floating type. Position
// embeddings of another image size are resampled to the model's, bicubically as timm does. Counters
// of batch norm (num_batches_tracked), and aux_head where the model has none, are passed over.
// Throws InputError naming file and tensor on
// one that is missing, too many, of another shape, not floating or not finite; the model is then
// unchanged.
void load_weights(Model& model, const std::filesystem::path& path);
void load_weights(Model& model, const io::Safetensors& file);

// What a file says of its model: ReMixer where it holds κ, the numbers of classes from its heads,
// the image size from its metadata or its position embeddings, else the architecture's. Throws
// InputError where there is no head.
ModelSpec spec_of_weights(const io::Safetensors& file, const std::string& architecture);

}  // namespace remixer::models
