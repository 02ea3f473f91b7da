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

// Sets parameters and buffers from a file that holds exactly these, in any floating type. Position
// embeddings of another image size are resampled to the model's, bicubically like timm. Batch norm
// counters (num_batches_tracked), and aux_head if the model has none, are ignored.
// Throws InputError naming file and tensor
// if one is missing, unknown, of another shape, not floating or not finite; the model is then
// unchanged.
void load_weights(Model& model, const std::filesystem::path& path);
void load_weights(Model& model, const io::Safetensors& file);

// A model spec from a file: ReMixer if it holds κ, class numbers from its heads, image size from
// its metadata or position embeddings, else the architecture's. Throws InputError if there is no
// head.
ModelSpec spec_of_weights(const io::Safetensors& file, const std::string& architecture);

}  // namespace remixer::models
